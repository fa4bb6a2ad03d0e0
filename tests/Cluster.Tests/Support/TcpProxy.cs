using System.Net;
using System.Net.Sockets;

namespace Signpost.Cluster.Tests.Support;

/// <summary>A way to a port of this machine that can be cut, made slow, or made silent. On threads of its own.</summary>
internal sealed class TcpProxy : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly List<Socket> _sockets = [];
    private volatile bool _isCut;
    private volatile bool _isSilent;
    private volatile int _forsaken; // connections up to this one are carried no more
    private int _accepted;
    private volatile int _delayMs;

    /// <summary>Forwards to <paramref name="target"/>.</summary>
    public TcpProxy(int target)
    {
        Target = target;
        _listener.Start();
        Spawn(Accept);
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Where new connections lead.</summary>
    public int Target { get; set; }

    /// <summary>Closes all connections; new ones are closed at once.</summary>
    public void Cut()
    {
        _isCut = true;
        CloseAll();
    }

    /// <summary>Connections stay and are accepted, and nothing is carried any more: what a pulled cable looks like.</summary>
    public void Silence() => _isSilent = true;

    /// <summary>The connections that are there stay and are silent for ever; new ones are carried.</summary>
    public void Forsake() => _forsaken = Volatile.Read(ref _accepted);

    /// <summary>From now each piece is carried so much later, each way.</summary>
    public void Delay(int ms) => _delayMs = ms;

    /// <summary>New connections are carried again; those that were silent are closed.</summary>
    public void Mend()
    {
        CloseAll();
        (_isCut, _isSilent, _delayMs) = (false, false, 0);
    }

    public void Dispose()
    {
        _listener.Dispose();
        Cut();
    }

    private static void Spawn(Action work) => new Thread(() =>
    {
        try
        {
            work();
        }
        catch (Exception e) when (e is SocketException or InvalidOperationException)
        {
            // closed
        }
    })
    { IsBackground = true, Name = "proxy" }.Start();

    private void Accept()
    {
        while (true)
        {
            Socket from = Keep(_listener.AcceptSocket());
            if (_isCut)
            {
                from.Dispose();
                continue;
            }

            Socket to = Keep(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true });
            int number = Interlocked.Increment(ref _accepted);
            Spawn(() =>
            {
                to.Connect(IPAddress.Loopback, Target);
                Spawn(() => Carry(to, from, number));
                Carry(from, to, number);
            });
        }
    }

    private void Carry(Socket from, Socket to, int number)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            for (int length; (length = from.Receive(buffer)) > 0;)
            {
                Thread.Sleep(_delayMs);
                while ((_isSilent || number <= _forsaken) && !_isCut)
                {
                    Thread.Sleep(5);
                }

                to.Send(buffer, length, SocketFlags.None);
            }
        }
        finally
        {
            from.Dispose();
            to.Dispose();
        }
    }

    private Socket Keep(Socket socket)
    {
        lock (_sockets)
        {
            _sockets.Add(socket);
        }

        return socket;
    }

    private void CloseAll()
    {
        lock (_sockets)
        {
            _sockets.ForEach(socket => socket.Dispose());
            _sockets.Clear();
        }
    }
}
