using Signpost.Engine.Base;

namespace Signpost.Silo.Redis;

/// <summary>
/// A thread that hears of new maps on a connection of its own, and looks by itself every second too, so that a message that was lost does
/// no harm. The same look finds out that Redis has lost maps, and restores them.
/// </summary>
internal sealed class RedisFollower : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly RedisThread _redis;
    private readonly RedisLink _link;
    private readonly RedisOptions _options;
    private readonly RedisKeys _keys;
    private readonly RedisMaps _maps;
    private readonly ILogger _log;
    private readonly Thread _thread;
    private readonly ManualResetEventSlim _stopped = new();
    private bool _wasReached = true;
    private Deadline? _pongIsDue;

    /// <summary>Starts the thread.</summary>
    public RedisFollower(RedisThread redis, RedisOptions options, RedisKeys keys, RedisMaps maps, ILogger log)
    {
        (_redis, _options, _keys, _maps, _log) = (redis, options, keys, maps, log);
        _link = new RedisLink(options);
        _thread = new Thread(Run) { IsBackground = true, Name = "redis follower" };
        _thread.Start();
    }

    /// <summary>Ends the thread, which is at the latest when a call that is under way has ended.</summary>
    public void Dispose()
    {
        _stopped.Set();
        _link.Shut();
        _thread.Join();
        _link.Dispose();
        _stopped.Dispose();
    }

    private void Run()
    {
        while (!_stopped.IsSet)
        {
            try
            {
                Listen();
            }
            catch (RedisException)
            {
                _stopped.Wait(Interval / 5); // the look below says whether Redis is gone
            }

            if (!_stopped.IsSet)
            {
                Look();
            }
        }
    }

    /// <summary>
    /// Until a message comes, or the interval has passed; no time at all after subscribing, because what was written before was not heard. A
    /// connection that does not answer to a ping is dropped: it may be dead without a sign.
    /// </summary>
    private void Listen()
    {
        _link.Deadline = Deadline.After(_options.Timeout);
        if (_pongIsDue is { HasPassed: true })
        {
            _link.Drop();
        }

        if (!_link.IsOpen)
        {
            _pongIsDue = null;
            _link.Send("SUBSCRIBE", _keys.Channel);
            return;
        }

        if (_pongIsDue is null)
        {
            _link.Send("PING");
            _pongIsDue = Deadline.After(_options.Timeout);
        }

        _link.Deadline = Deadline.After(Interval + _options.Timeout);
        for (var end = Deadline.After(Interval); !end.HasPassed && !_stopped.IsSet;)
        {
            string? kind = _link.TryRead(Interval)?.Items?.FirstOrDefault()?.Text;
            _pongIsDue = kind == "pong" ? null : _pongIsDue;
            if (kind == "message")
            {
                return;
            }
        }
    }

    private void Look()
    {
        try
        {
            _redis.Ask(
                link =>
                {
                    _maps.Refresh(link);
                    return true;
                },
                CancellationToken.None).GetAwaiter().GetResult();
            Tell(reached: true, "");
        }
        catch (RedisException e)
        {
            Tell(reached: false, e.Message);
        }
        catch (Exception e) when (e is not CheckFailedException) // what stands in Redis is not ours; this thread must go on
        {
            _log.LogError(e, "The maps in Redis could not be looked at");
        }
    }

    private void Tell(bool reached, string reason)
    {
        if (reached && !_wasReached)
        {
            _log.LogInformation("Redis at {Redis} answers again", _options);
        }
        else if (!reached && _wasReached)
        {
            _log.LogWarning("{Reason}; it is tried again until it answers", reason);
        }

        _wasReached = reached;
    }
}
