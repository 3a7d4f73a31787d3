# gets.pl ADDRESS: how many values a second memcached gives, one after the other over one connection.
use strict;
use warnings;
use IO::Socket::INET;
use Time::HiRes 'time';

my ($address, $count) = ($ARGV[0], 5000);
my $cache = IO::Socket::INET->new(PeerAddr => $address, PeerPort => 11211, Timeout => 5)
    or die "$address does not answer: $@\n";
$cache->autoflush(1);
print $cache "set key 0 0 5\r\nvalue\r\n";
my $stored = <$cache>;
$stored =~ /^STORED/ or die "it stores nothing: $stored\n";
my $began = time;
for (1 .. $count) {
    print $cache "get key\r\n";
    <$cache> =~ /^VALUE/ or die "it gives nothing\n";
    <$cache>;
    <$cache>;
}
printf "%.1f gets per second\n", $count / (time - $began);
