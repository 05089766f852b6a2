#!/usr/bin/perl
# Example: a program that is not Python. Counts the voxels below a threshold in every slice.
# perl porosity.pl INPUT.npy OUTPUT.csv THRESHOLD
use strict;
use warnings;

my ($input, $output, $threshold) = @ARGV;
open(my $in, '<:raw', $input) or die "cannot open $input: $!\n";

# The header of a .npy file: magic, version, length, then a Python dict as text.
read($in, my $magic, 10) == 10 or die "$input is cut short\n";
die "$input is no .npy file\n" unless substr($magic, 0, 6) eq "\x93NUMPY";
my $length = unpack('v', substr($magic, 8, 2));
read($in, my $header, $length);
my ($type) = $header =~ /'descr': '([^']+)'/;
my ($n_slices, $n_y, $n_x) = $header =~ /'shape': \((\d+), (\d+), (\d+)\)/;
my %formats = ('<f4' => ['f<*', 4], '|u1' => ['C*', 1], '<u2' => ['S<*', 2]);
die "values of type $type are not known here\n" unless exists $formats{$type};
my ($format, $bytes) = @{ $formats{$type} };

open(my $out, '>', $output) or die "cannot write $output: $!\n";
print $out "slice,pores,porosity\n";
for my $slice (0 .. $n_slices - 1) {
    my $size = $n_y * $n_x * $bytes;
    read($in, my $raw, $size) == $size or die "$input is cut short in slice $slice\n";
    my $pores = grep { $_ < $threshold } unpack($format, $raw);
    printf $out "%d,%d,%.6f\n", $slice, $pores, $pores / ($n_y * $n_x);
    $| = 1;
    printf "PROGRESS %.4f slices\n", ($slice + 1) / $n_slices;
}
close($out) or die "cannot write $output: $!\n";
