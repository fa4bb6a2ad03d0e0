using System.Net;
using System.Net.Sockets;
using System.Text;
using Signpost.Engine.Cluster;

namespace Signpost.Cluster.Tests.Support;

/// <summary>What a silo asks of Redis, as far as tests look at it: the map that it would write, the note that it would put beside its lease.</summary>
internal sealed record RedisRequest(ShardMap? Map, SiloNote? Note)
{
    /// <summary>What the words of a command say.</summary>
    public static RedisRequest Of(IReadOnlyList<byte[]> words)
    {
        const int Keys = 9; // EVAL, script, number of keys, six keys
        string script = words.Count > Keys && Encoding.ASCII.GetString(words[0]) == "EVAL" ? Encoding.UTF8.GetString(words[1]) : "";
        return new RedisRequest(
            script.Contains("'PUBLISH'", StringComparison.Ordinal) ? ShardMapCodec.Decode(words[Keys + 4], "a tapped map") : null,
            script.Contains("redis.call('HSET', KEYS[3]", StringComparison.Ordinal) ? SiloNote.Read(Encoding.UTF8.GetString(words[Keys + 3])) : null);
    }
}

/// <summary>
/// A silo's way to Redis, which kills the silo at a named step: at a request that is one, either before Redis gets it, or after Redis has done it and
/// before the silo hears of it.
/// </summary>
internal sealed class RedisTap : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly int _redis;
    private readonly ManualResetEventSlim _answered = new();
    private volatile TcpClient? _answersFor;
    private volatile Trap? _trap;

    public RedisTap(int redis)
    {
        _redis = redis;
        _listener.Start();
        Spawn(Accept);
    }

    /// <summary>Where the silo finds its Redis.</summary>
    public string Address => $"127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    /// <summary>Kills at the next request that <paramref name="isStep"/>.</summary>
    public void KillAt(Func<RedisRequest, bool> isStep, bool afterwards, Action kill) => _trap = new Trap(isStep, afterwards, kill);

    public void Dispose() => _listener.Dispose();

    private static void Spawn(Action work) => new Thread(() =>
    {
        try
        {
            work();
        }
        catch (Exception e) when (e is SocketException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            // closed
        }
    })
    { IsBackground = true, Name = "tap" }.Start();

    private void Accept()
    {
        while (true)
        {
            TcpClient silo = _listener.AcceptTcpClient();
            var redis = new TcpClient("127.0.0.1", _redis) { NoDelay = true };
            silo.NoDelay = true;
            Spawn(() => Ask(silo, redis));
            Spawn(() => Answer(silo, redis));
        }
    }

    private void Ask(TcpClient silo, TcpClient redis)
    {
        using (silo)
        using (redis)
        {
            var requests = new BufferedStream(silo.GetStream(), 1 << 16);
            while (Read(requests) is { } words)
            {
                byte[] bytes = [.. Encoding.ASCII.GetBytes($"*{words.Count}\r\n"), .. words.SelectMany(w => (byte[])[.. Encoding.ASCII.GetBytes($"${w.Length}\r\n"), .. w, .. "\r\n"u8])];
                Trap? trap = _trap is { } set && set.IsStep(RedisRequest.Of(words)) ? Interlocked.Exchange(ref _trap, null) : null;
                if (trap is { Afterwards: false })
                {
                    trap.Kill();
                    return;
                }

                if (trap is not null)
                {
                    _answersFor = redis; // its answer does not reach the silo, which is dead by then
                    redis.GetStream().Write(bytes);
                    _answered.Wait();
                    trap.Kill();
                    return;
                }

                redis.GetStream().Write(bytes);
            }
        }
    }

    private void Answer(TcpClient silo, TcpClient redis)
    {
        byte[] buffer = new byte[1 << 16];
        for (int length; (length = redis.GetStream().Read(buffer)) > 0;)
        {
            if (_answersFor == redis)
            {
                _answered.Set();
                return;
            }

            silo.GetStream().Write(buffer, 0, length);
        }
    }

    /// <summary>One command: an array of strings; null at the end of the connection.</summary>
    private static List<byte[]>? Read(Stream stream)
    {
        if (ReadLine(stream) is not { } head)
        {
            return null;
        }

        var words = new List<byte[]>();
        for (int left = int.Parse(head[1..]); left > 0; left--)
        {
            byte[] word = new byte[int.Parse(ReadLine(stream)![1..])];
            stream.ReadExactly(word);
            ReadLine(stream);
            words.Add(word);
        }

        return words;
    }

    private static string? ReadLine(Stream stream)
    {
        var line = new StringBuilder();
        for (int b; (b = stream.ReadByte()) >= 0;)
        {
            if (b == '\n')
            {
                return line.ToString().TrimEnd('\r');
            }

            line.Append((char)b);
        }

        return null;
    }

    private sealed record Trap(Func<RedisRequest, bool> IsStep, bool Afterwards, Action Kill);
}
