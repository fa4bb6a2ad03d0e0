using System.Net.Sockets;
using System.Security.Authentication;

namespace Signpost.Silo.Redis;

/// <summary>
/// A connection that comes back: opened when it is needed, dropped when anything goes wrong, and not tried again for a moment after it
/// could not be opened. No command is sent twice, because nobody knows whether the first one arrived. One thread at a time.
/// </summary>
internal sealed class RedisLink(RedisOptions options) : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private volatile RespConnection? _connection;
    private Deadline _notBefore;
    private RedisException? _refused;

    /// <summary>When the call that is under way must have ended.</summary>
    public Deadline Deadline { get; set; }

    /// <summary>Whether it was connected when it was last used.</summary>
    public bool IsOpen => _connection is not null;

    /// <summary>Sends a command and gives its answer, never a refusal.</summary>
    /// <exception cref="RedisException">No answer before <see cref="Deadline"/>, or a refusal.</exception>
    public Reply Call(params ReadOnlySpan<Argument> command)
    {
        RespConnection connection = Connection(mustBeSilent: true);
        Reply reply;
        try
        {
            reply = connection.Call(Deadline, command);
        }
        catch (Exception e) when (IsTransport(e))
        {
            throw Lost(e);
        }

        return reply.Error is null ? reply : throw Refused(reply.Error);
    }

    /// <summary>Sends a command whose answer is read with what comes by itself: <see cref="TryRead"/>.</summary>
    public void Send(params ReadOnlySpan<Argument> command)
    {
        RespConnection connection = Connection(mustBeSilent: false);
        try
        {
            connection.Send(Deadline, command);
        }
        catch (Exception e) when (IsTransport(e))
        {
            throw Lost(e);
        }
    }

    /// <summary>What comes within <paramref name="time"/>; null when nothing does.</summary>
    public Reply? TryRead(TimeSpan time)
    {
        RespConnection connection = Connection(mustBeSilent: false);
        Reply? reply;
        try
        {
            reply = connection.Waits(time) ? connection.Read(Deadline) : null;
        }
        catch (Exception e) when (IsTransport(e))
        {
            throw Lost(e);
        }

        return reply?.Error is null ? reply : throw Refused(reply.Error);
    }

    /// <summary>Closes it; the next call opens it again.</summary>
    public void Drop()
    {
        _connection?.Dispose();
        _connection = null;
    }

    /// <summary>Ends a wait of another thread for what comes.</summary>
    public void Shut() => _connection?.Shut();

    public void Dispose() => Drop();

    private RespConnection Connection(bool mustBeSilent)
    {
        if (Deadline.HasPassed)
        {
            throw new RedisException($"Redis at {options} could not be asked in time (nothing was sent)");
        }

        if (mustBeSilent && _connection is { IsStale: true })
        {
            Drop(); // Redis was restarted since: that is seen here, before anything is sent that may be lost
        }

        if (_connection is not null)
        {
            return _connection;
        }

        if (_refused is not null && !_notBefore.HasPassed)
        {
            throw new RedisException(_refused.Message, _refused.InnerException);
        }

        try
        {
            return _connection = RespConnection.Open(options, Deadline);
        }
        catch (Exception e) when (IsTransport(e) || e is RedisException)
        {
            _refused = new RedisException($"Redis at {options} cannot be reached (nothing was sent): {Reason(e)}", e);
            _notBefore = Deadline.After(Pause);
            throw _refused;
        }
    }

    private RedisException Lost(Exception e)
    {
        Drop();
        return new RedisException($"Redis at {options} did not answer: {Reason(e)}", e);
    }

    private RedisException Refused(string error)
    {
        if (error.Contains("READONLY", StringComparison.Ordinal))
        {
            Drop(); // another one is the primary now, and the name may lead to it already
        }

        return new RedisException($"Redis at {options} refused: {error}");
    }

    private static bool IsTransport(Exception e) =>
        e is SocketException or TimeoutException or AuthenticationException or ObjectDisposedException or InvalidDataException
        || (e is IOException and not RedisException);

    private static string Reason(Exception e) => e switch
    {
        IOException { InnerException: SocketException { SocketErrorCode: SocketError.TimedOut or SocketError.WouldBlock } } => "no answer in time",
        IOException { InnerException: SocketException inner } => inner.Message,
        _ => e.Message,
    };
}
