using System.Net;
using System.Net.Sockets;

namespace Signpost.Silo.Tests.S3;

/// <summary>What a connection suffers after so many bytes from the server.</summary>
internal enum Fault
{
    /// <summary>It is closed.</summary>
    Cut,

    /// <summary>Nothing comes any more, and nobody says so.</summary>
    Silence,

    /// <summary>The next byte is another one.</summary>
    Flip,
}

/// <summary>A way to a server on which things happen: the first connections that bring many bytes get a fault each.</summary>
internal sealed class CuttingProxy : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly List<TcpClient> _open = [];
    private readonly int _server;
    private readonly Fault _fault;
    private readonly int _after;
    private int _left;

    public CuttingProxy(int server, Fault fault, int after, int times)
    {
        _server = server;
        _fault = fault;
        _after = after;
        _left = times;
        _listener.Start();
        new Thread(Accept) { IsBackground = true }.Start();
    }

    public Uri Endpoint => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    /// <summary>Faults that have not happened yet.</summary>
    public int Left => Volatile.Read(ref _left);

    public void Dispose()
    {
        _listener.Stop();
        lock (_open)
        {
            _open.ForEach(client => client.Dispose());
        }
    }

    private void Accept()
    {
        try
        {
            while (true)
            {
                TcpClient client = _listener.AcceptTcpClient();
                var server = new TcpClient("127.0.0.1", _server);
                lock (_open)
                {
                    _open.AddRange([client, server]);
                }

                new Thread(() => Carry(client, server, mayFail: false)) { IsBackground = true }.Start();
                new Thread(() => Carry(server, client, mayFail: true)) { IsBackground = true }.Start();
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
        }
    }

    private void Carry(TcpClient from, TcpClient to, bool mayFail)
    {
        try
        {
            byte[] bytes = new byte[16 << 10];
            int got;
            for (long done = 0; (got = from.GetStream().Read(bytes)) > 0; done += got)
            {
                if (mayFail && done + got > _after && done <= _after && Interlocked.Decrement(ref _left) >= 0)
                {
                    if (_fault == Fault.Silence)
                    {
                        return;
                    }

                    bytes[got - 1] ^= 1;
                    got = _fault == Fault.Cut ? 0 : got;
                }

                to.GetStream().Write(bytes, 0, got);
                if (got == 0)
                {
                    break;
                }
            }

            from.Close();
            to.Close();
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            from.Dispose();
            to.Dispose();
        }
    }
}
