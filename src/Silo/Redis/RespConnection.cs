using System.Buffers;
using System.Buffers.Text;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Signpost.Client;

namespace Signpost.Silo.Redis;

/// <summary>
/// One connection to Redis (RESP2) on a blocking socket: the thread that calls sends, waits and reads by itself. So it needs no thread of
/// the pool, and goes on when the pool is busy. One thread at a time. After an exception it is of no more use: an answer may still come.
/// </summary>
internal sealed class RespConnection : IDisposable
{
    private const int MostBytes = 256 << 20; // of an answer; far more than any map
    private const int MostItems = 1 << 20;

    private readonly Socket _socket;
    private readonly Stream _stream;
    private readonly ArrayBufferWriter<byte> _command = new(1024);
    private readonly byte[] _buffer = new byte[16 * 1024];
    private int _at;
    private int _end;

    private RespConnection(Socket socket, Stream stream)
    {
        _socket = socket;
        _stream = stream;
    }

    /// <summary>Whether Redis has closed it, or sent what nobody asked for, since the last answer.</summary>
    public bool IsStale => _at < _end || _socket.Poll(0, SelectMode.SelectRead);

    /// <summary>Connects and enters.</summary>
    /// <exception cref="Exception">One of those of sockets, of TLS, <see cref="TimeoutException"/>, or a refusal (<see cref="RedisException"/>).</exception>
    public static RespConnection Open(RedisOptions options, Deadline deadline)
    {
        Socket socket = Connect(options, deadline);
        try
        {
            socket.NoDelay = true;
            var connection = new RespConnection(socket, Stream(socket, options, deadline));
            if (options.Password is not null)
            {
                Enter(connection, deadline, options.User is null ? ["AUTH", options.Password] : ["AUTH", options.User, options.Password]);
            }

            connection.Call(deadline, "CLIENT", "SETNAME", options.ClientName); // for who looks at Redis; a user may not be allowed to
            if (options.Database != 0)
            {
                Enter(connection, deadline, "SELECT", options.Database);
            }

            return connection;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Sends a command and reads its answer, which may be a refusal.</summary>
    public Reply Call(Deadline deadline, params ReadOnlySpan<Argument> command)
    {
        Send(deadline, command);
        return Read(deadline);
    }

    /// <summary>Sends a command.</summary>
    public void Send(Deadline deadline, params ReadOnlySpan<Argument> command)
    {
        _command.ResetWrittenCount();
        Head('*', command.Length);
        foreach (Argument argument in command)
        {
            Head('$', argument.Bytes.Length);
            _command.Write(argument.Bytes);
            _command.Write("\r\n"u8);
        }

        _socket.SendTimeout = deadline.LeftMs;
        _stream.Write(_command.WrittenSpan);
    }

    /// <summary>Whether something can be read within <paramref name="time"/>.</summary>
    public bool Waits(TimeSpan time) => _at < _end || _socket.Poll(time, SelectMode.SelectRead);

    /// <summary>Reads one answer.</summary>
    public Reply Read(Deadline deadline)
    {
        byte kind = Next(deadline);
        long number = 0;
        if (kind is (byte)'+' or (byte)'-')
        {
            byte[] line = Line(deadline);
            return kind == '+' ? new Reply(bytes: line) : new Reply(error: Encoding.UTF8.GetString(line));
        }

        byte[] digits = Line(deadline);
        if (!Utf8Parser.TryParse(digits, out number, out int read) || read != digits.Length)
        {
            throw Foreign();
        }

        return kind switch
        {
            (byte)':' => new Reply(number: number),
            (byte)'$' or (byte)'*' when number == -1 => Reply.Nil,
            (byte)'$' when number is >= 0 and <= MostBytes => new Reply(bytes: Block((int)number, deadline)),
            (byte)'*' when number is >= 0 and <= MostItems => new Reply(items: Items((int)number, deadline)),
            _ => throw Foreign(),
        };
    }

    /// <summary>Ends a wait of another thread: it reads the end.</summary>
    public void Shut()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // it is closed already
        }
    }

    public void Dispose()
    {
        _socket.Dispose();
        _stream.Dispose();
    }

    private static Socket Connect(RedisOptions options, Deadline deadline)
    {
        Exception? last = null;
        foreach (IPAddress address in Addresses(options.Host, deadline))
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                ConnectWithin(socket, new IPEndPoint(address, options.Port), deadline);
                return socket;
            }
            catch (Exception e) when (e is SocketException or TimeoutException)
            {
                socket.Dispose();
                last = e;
            }
        }

        throw last ?? new SocketException((int)SocketError.HostNotFound);
    }

    /// <summary>A blocking connect has no time limit of its own, so it is begun without blocking and waited for.</summary>
    private static void ConnectWithin(Socket socket, IPEndPoint to, Deadline deadline)
    {
        socket.Blocking = false;
        try
        {
            socket.Connect(to);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
        {
            if (!socket.Poll(TimeSpan.FromMilliseconds(deadline.LeftMs), SelectMode.SelectWrite))
            {
                throw new TimeoutException("no connection in time");
            }

            var error = (SocketError)(int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)!;
            if (error != SocketError.Success)
            {
                throw new SocketException((int)error);
            }
        }

        socket.Blocking = true;
    }

    /// <summary>Asking for a name cannot be given a time limit either: a thread of its own asks, and is left behind when it takes too long.</summary>
    private static IPAddress[] Addresses(string host, Deadline deadline)
    {
        if (IPAddress.TryParse(host, out IPAddress? address))
        {
            return [address];
        }

        IPAddress[]? found = null;
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                found = Dns.GetHostAddresses(host);
            }
            catch (Exception e) when (e is SocketException or ArgumentException)
            {
                failure = e;
            }
        })
        { IsBackground = true, Name = "redis name" };
        thread.Start();
        return !thread.Join(deadline.LeftMs) ? throw new TimeoutException("no address for its name in time")
            : found ?? throw new IOException("its name has no address", failure);
    }

    private static Stream Stream(Socket socket, RedisOptions options, Deadline deadline)
    {
        var plain = new NetworkStream(socket, ownsSocket: false);
        if (!options.Tls)
        {
            return plain;
        }

        socket.SendTimeout = socket.ReceiveTimeout = deadline.LeftMs;
        var tls = new SslStream(plain, leaveInnerStreamOpen: false);
        SslClientAuthenticationOptions how = Trust.ForClient(options.Authorities);
        how.TargetHost = options.TlsHost ?? options.Host;
        tls.AuthenticateAsClient(how);
        return tls;
    }

    private static void Enter(RespConnection connection, Deadline deadline, params ReadOnlySpan<Argument> command)
    {
        if (connection.Call(deadline, command).Error is { } error)
        {
            throw new RedisException(error);
        }
    }

    private void Head(char kind, int number)
    {
        Span<byte> to = _command.GetSpan(16);
        to[0] = (byte)kind;
        Utf8Formatter.TryFormat(number, to[1..], out int length);
        "\r\n"u8.CopyTo(to[(1 + length)..]);
        _command.Advance(length + 3);
    }

    private Reply[] Items(int count, Deadline deadline)
    {
        var items = new Reply[count];
        for (int i = 0; i < count; i++)
        {
            items[i] = Read(deadline);
        }

        return items;
    }

    private byte[] Block(int length, Deadline deadline)
    {
        var block = new byte[length];
        for (int done = 0; done < length;)
        {
            Fill(deadline);
            int part = Math.Min(length - done, _end - _at);
            _buffer.AsSpan(_at, part).CopyTo(block.AsSpan(done));
            (_at, done) = (_at + part, done + part);
        }

        return Next(deadline) == '\r' && Next(deadline) == '\n' ? block : throw Foreign();
    }

    private byte[] Line(Deadline deadline)
    {
        var line = new List<byte>();
        byte next;
        while ((next = Next(deadline)) != '\r')
        {
            line.Add(next);
            if (line.Count > _buffer.Length)
            {
                throw Foreign();
            }
        }

        return Next(deadline) == '\n' ? [.. line] : throw Foreign();
    }

    private byte Next(Deadline deadline)
    {
        Fill(deadline);
        return _buffer[_at++];
    }

    private void Fill(Deadline deadline)
    {
        if (_at < _end)
        {
            return;
        }

        _socket.ReceiveTimeout = deadline.LeftMs;
        (_at, _end) = (0, _stream.Read(_buffer));
        if (_end == 0)
        {
            throw new IOException("it closed the connection");
        }
    }

    private static InvalidDataException Foreign() => new("what answers there does not speak Redis' protocol");
}
