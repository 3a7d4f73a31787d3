# digest.pl ADDRESS: how many seconds the job takes.
use strict;
use warnings;
use IO::Socket::INET;
use Time::HiRes 'time';

# It listens again a moment after it has answered somebody.
my ($job, $began);
for (1 .. 50) {
    $began = time;
    $job = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => 7000, Timeout => 5) and last;
    select undef, undef, undef, 0.1;
}
$job or die "$ARGV[0] does not answer: $@\n";
my $digest = <$job> // '';
# Of 64 MiB of zeros.
$digest =~ /^3b6a07d0d404fab4e23b6d34bc6696a6a312dd92821332385e5af7c01c421351/ or die "not the digest: $digest\n";
printf "%.3f\n", time - $began;
