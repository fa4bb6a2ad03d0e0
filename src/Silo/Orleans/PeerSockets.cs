using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Signpost.Silo.Security;

namespace Signpost.Silo.Orleans;

/// <summary>
/// The connections over which silos of Orleans speak: with TLS where the address says so, and with the secret that silos share, before the first byte of
/// Orleans' own. Whoever cannot show what is asked for is told so, and never reaches Orleans.
/// </summary>
/// <remarks>
/// It stands in place of Orleans' own sockets for speed too: bytes are read and written by whoever wants them, without two threads of the pool to pass
/// them on for each message.
///
/// The one that connects sends the SHA-256 of its secret; the other answers one byte, 1 for welcome.
/// </remarks>
/// <param name="scheme">https, or http for connections in clear.</param>
/// <param name="security">How silos know each other.</param>
/// <param name="hostAt">The host of a silo at an address, which its certificate names; null where it is not known.</param>
/// <param name="say">Takes a line for the operator.</param>
internal sealed class PeerSockets(string scheme, PeerSecurity security, Func<EndPoint, string?> hostAt, Action<string> say)
    : IConnectionFactory, IConnectionListenerFactory
{
    /// <summary>Time for a silo that has connected to show what it must.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    private string? _said;

    private bool IsTls => scheme == Uri.UriSchemeHttps;

    /// <inheritdoc/>
    /// <exception cref="IOException">It is not the silo that it should be, or it refuses this one.</exception>
    /// <exception cref="SocketException">It cannot be reached.</exception>
    public async ValueTask<ConnectionContext> ConnectAsync(EndPoint endpoint, CancellationToken cancel)
    {
        var to = (IPEndPoint)endpoint;
        var socket = new Socket(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        Stream stream = Stream.Null;
        try
        {
            Uri address = new UriBuilder(scheme, hostAt(to) ?? to.Address.ToString(), to.Port).Uri;
            byte[] shown = PeerSecret.HashOf(security.Shown(address));
            await socket.ConnectAsync(to, cancel);
            stream = new NetworkStream(socket, ownsSocket: true);
            if (IsTls)
            {
                var tls = new SslStream(stream);
                stream = tls;
                SslClientAuthenticationOptions how = security.ForClient();
                how.TargetHost = address.IdnHost;
                await tls.AuthenticateAsClientAsync(how, cancel);
            }

            await stream.WriteAsync(shown, cancel);
            byte[] answer = new byte[1];
            return await stream.ReadAsync(answer, cancel) == 0
                ? throw new IOException("it hung up: is TLS asked for there, or a certificate of security.ca?")
                : answer[0] == 1 ? new Line(stream, socket) : throw new IOException("it does not know the secret of this silo: give all the same security.peer_secret");
        }
        catch (Exception e)
        {
            await stream.DisposeAsync();
            socket.Dispose();
            if (e is IOException or AuthenticationException)
            {
                SayOnce($"a silo at {endpoint} is not asked: {e.Message}");
            }

            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancel = default) => new(new Listener(this, endpoint));

    private void SayOnce(string what)
    {
        if (Interlocked.Exchange(ref _said, what) != what)
        {
            say(what);
        }
    }

    /// <summary>A connection for Orleans, once its other end has shown what it must; null where it has not.</summary>
    private async Task<Line?> AdmitAsync(Socket socket)
    {
        Stream stream = new NetworkStream(socket, ownsSocket: true);
        try
        {
            socket.NoDelay = true;
            using var cancel = new CancellationTokenSource(Longest);
            if (IsTls)
            {
                var tls = new SslStream(stream);
                stream = tls;
                await tls.AuthenticateAsServerAsync(security.ForServer(), cancel.Token);
            }

            byte[] shown = new byte[SHA256.HashSizeInBytes];
            await stream.ReadExactlyAsync(shown, cancel.Token);
            bool isKnown = security.Admits(shown);
            await stream.WriteAsync((byte[])[isKnown ? (byte)1 : (byte)0], cancel.Token);
            return isKnown ? new Line(stream, socket) : throw new IOException("it does not know the secret of this silo");
        }
        catch (Exception e)
        {
            await stream.DisposeAsync();
            if (e is IOException or AuthenticationException)
            {
                SayOnce($"a caller is refused by Orleans' port: {e.Message}");
            }

            return null;
        }
    }

    /// <summary>Takes connections, and hands on those that may come in.</summary>
    private sealed class Listener : IConnectionListener
    {
        private readonly PeerSockets _sockets;
        private readonly Socket _socket;
        private readonly Channel<Line> _admitted = Channel.CreateUnbounded<Line>();
        private readonly Task _loop;
        private volatile bool _isUnbound;

        public Listener(PeerSockets sockets, EndPoint endpoint)
        {
            _sockets = sockets;
            _socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            _socket.Bind(endpoint);
            _socket.Listen();
            EndPoint = _socket.LocalEndPoint!;
            _loop = LoopAsync();
        }

        public EndPoint EndPoint { get; }

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancel = default) =>
            await _admitted.Reader.WaitToReadAsync(cancel) && _admitted.Reader.TryRead(out Line? line) ? line : null;

        public async ValueTask UnbindAsync(CancellationToken cancel = default)
        {
            _isUnbound = true;
            _socket.Dispose();
            await _loop;
        }

        public ValueTask DisposeAsync() => UnbindAsync();

        private async Task LoopAsync()
        {
            while (true)
            {
                try
                {
                    _ = AdmitAsync(await _socket.AcceptAsync());
                }
                catch (Exception) when (_isUnbound)
                {
                    _admitted.Writer.TryComplete();
                    return;
                }
                catch (SocketException)
                {
                    await Task.Delay(100); // that one went away at once, or there are no handles left for now
                }
            }
        }

        private async Task AdmitAsync(Socket socket)
        {
            if (await _sockets.AdmitAsync(socket) is { } line && !_admitted.Writer.TryWrite(line))
            {
                await line.DisposeAsync();
            }
        }
    }

    /// <summary>A connection, as Orleans wants it.</summary>
    private sealed class Line : DefaultConnectionContext, IDuplexPipe
    {
        /// <summary>A message of a search is shorter, and goes out at once.</summary>
        private const int BufferBytes = 16 << 10;

        private readonly Stream _stream;

        public Line(Stream stream, Socket socket)
            : base(Guid.NewGuid().ToString())
        {
            _stream = stream;
            Input = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: BufferBytes));
            Output = PipeWriter.Create(stream, new StreamPipeWriterOptions(minimumBufferSize: BufferBytes));
            (Transport, LocalEndPoint, RemoteEndPoint) = (this, socket.LocalEndPoint, socket.RemoteEndPoint);
        }

        public PipeReader Input { get; }

        public PipeWriter Output { get; }

        public override async ValueTask DisposeAsync()
        {
            await _stream.DisposeAsync();
            await base.DisposeAsync();
        }
    }
}
