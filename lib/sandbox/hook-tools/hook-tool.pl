#!/usr/bin/perl
# Client of all hook tools and of juju-exec: sends its name, arguments and context to the sandbox
# daemon and prints what comes back. No modules at all: loading Socket and Cwd takes five times as long as
# the rest of a call. Perl itself is in perl-base, which Debian and Ubuntu always have.
#
# Request: fields as "<length>:<bytes>,", their count first: name, context id, directory, unit,
# then the arguments. Answer: "stdin\n" (send standard input as one field, and wait on), or
# "<exit code> <length of stdout> <length of stderr>\n" with the bytes of both.
use strict;

# From socket(2) and unix(7) of Linux, as modules would tell.
my ($AF_UNIX, $SOCK_STREAM) = (1, 1);

# A daemon that died is told as an error, not by a signal.
$SIG{PIPE} = "IGNORE";

my $buffer = '';
my ($name) = $0 =~ m{([^/]+)\z};
my $socket_path = $ENV{JUJU_AGENT_SOCKET_ADDRESS} // '@DEFAULT_SOCKET@';
my $context = $ENV{JUJU_CONTEXT_ID} // '';
if ($name ne 'juju-exec') {
    fail('JUJU_CONTEXT_ID not set') if $context eq '';
    fail('JUJU_AGENT_SOCKET_ADDRESS not set') if !defined $ENV{JUJU_AGENT_SOCKET_ADDRESS};
}

socket(my $socket, $AF_UNIX, $SOCK_STREAM, 0) or fail("cannot open a socket: $!");
connect($socket, pack('S Z*', $AF_UNIX, $socket_path)) or fail("cannot reach $socket_path: $!");
my @fields = ($name, $context, readlink('/proc/self/cwd') // '/', $ENV{JUJU_UNIT_NAME} // '', @ARGV);
transmit(scalar(@fields) . "\n" . join('', map { field($_) } @fields));

my $head = receive_line();
if ($head eq 'stdin') {
    binmode STDIN;
    local $/;
    transmit(field(<STDIN> // ''));
    $head = receive_line();
}
my ($code, $stdout_length, $stderr_length) = split / /, $head;
fail('the answer ended early') if !defined $stderr_length;
binmode STDOUT;
binmode STDERR;
print STDOUT receive($stdout_length);
print STDERR receive($stderr_length);
exit $code;

sub field { my ($text) = @_; return length($text) . ':' . $text . ','; }

sub transmit {
    my ($bytes) = @_;
    my $sent = 0;
    while ($sent < length $bytes) {
        my $count = syswrite($socket, $bytes, length($bytes) - $sent, $sent);
        fail("connection to the agent lost: $!") if !defined $count;
        $sent += $count;
    }
    return;
}


sub more {
    my $count = sysread($socket, $buffer, 65536, length $buffer);
    return defined $count && $count > 0;
}

sub receive_line {
    $buffer = '' if !defined $buffer;
    while (index($buffer, "\n") < 0) {
        more() or fail('connection to the agent lost');
    }
    my $end = index $buffer, "\n";
    my $line = substr $buffer, 0, $end;
    $buffer = substr $buffer, $end + 1;
    return $line;
}

sub receive {
    my ($length) = @_;
    while (length($buffer) < $length) {
        more() or fail('connection to the agent lost');
    }
    my $bytes = substr $buffer, 0, $length;
    $buffer = substr $buffer, $length;
    return $bytes;
}

sub fail {
    my ($message) = @_;
    print STDERR "ERROR $message\n";
    exit 1;
}
