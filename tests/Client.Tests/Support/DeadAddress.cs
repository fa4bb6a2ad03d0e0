using System.Net;
using System.Net.Sockets;

namespace Signpost.Client.Tests.Support;

/// <summary>An address of this machine where nobody listens, for as long as it is kept.</summary>
internal sealed class DeadAddress : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp); // bound: nobody else gets the port

    public DeadAddress()
    {
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Url = $"http://127.0.0.1:{((IPEndPoint)_socket.LocalEndPoint!).Port}/";
    }

    public string Url { get; }

    public void Dispose() => _socket.Dispose();
}
