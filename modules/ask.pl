# ask.pl ADDRESS PORT FILE COUNT: how often a second a server answers: connects, sends what is in FILE, reads to the end,
# COUNT times one after the other. An answer of nothing is none.
use strict;
use warnings;
use IO::Socket::INET;
use Time::HiRes 'time';

my ($address, $port, $file, $count) = @ARGV;
open my $words, '<', $file or die "$file: $!\n";
my $question = do { local $/; <$words> };
my $began = time;
for (1 .. $count) {
    my $server = IO::Socket::INET->new(PeerAddr => $address, PeerPort => $port, Timeout => 5)
        or die "$address:$port does not answer: $@\n";
    $server->autoflush(1);
    print $server $question;
    shutdown $server, 1;
    my $answer = do { local $/; <$server> };
    length($answer // '') or die "$address:$port says nothing\n";
}
printf "%.3f answers per second\n", $count / (time - $began);
