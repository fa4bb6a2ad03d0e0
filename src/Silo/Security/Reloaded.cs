using System.Security.Cryptography;
using System.Text;
using Signpost.Engine.Base;

namespace Signpost.Silo.Security;

/// <summary>
/// What stands in one or several small files, read again when they change: looked at when it is asked for, at most once a second. Files that
/// cannot be read or do not hold what they should leave the last good value in force, and that is said once. Thread-safe.
/// </summary>
/// <remarks>The text is compared and not the time of the file: mounted secrets are links, which change without it.</remarks>
internal sealed class Reloaded<T>
    where T : class
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly string[] _paths;
    private readonly Func<string[], T> _read;
    private readonly Action<string> _say;
    private readonly TimeProvider _time;
    private readonly Lock _look = new();
    private volatile T _value;
    private byte[] _seen;
    private string? _said;
    private long _next;

    /// <param name="paths">The files.</param>
    /// <param name="read">Makes the value of their texts; <see cref="ProblemException"/> or <see cref="CryptographicException"/> where it cannot.</param>
    /// <param name="say">Takes a line for the operator.</param>
    /// <param name="time">Says when to look.</param>
    /// <exception cref="ProblemException">There is no good value to begin with.</exception>
    public Reloaded(string[] paths, Func<string[], T> read, Action<string> say, TimeProvider time)
    {
        (_paths, _read, _say, _time) = (paths, read, say, time);
        try
        {
            string[] texts = Texts();
            (_value, _seen) = (read(texts), HashOf(texts));
        }
        catch (Exception e) when (IsOfFiles(e))
        {
            throw e as ProblemException ?? new ProblemException(new Problem(
                ProblemCode.InvalidArgument, Names, e.Message, "files that can be read", "Name files that this user may read."));
        }

        _next = Next();
    }

    /// <summary>The newest good value.</summary>
    public T Value
    {
        get
        {
            long due = Volatile.Read(ref _next);
            if (_time.GetTimestamp() >= due && Interlocked.CompareExchange(ref _next, Next(), due) == due)
            {
                Look();
            }

            return _value;
        }
    }

    private string Names => string.Join(", ", _paths);

    /// <summary>A disk that hangs holds up one thread, and the others go on with what is in force.</summary>
    private void Look()
    {
        if (!_look.TryEnter())
        {
            return;
        }

        try
        {
            string[] texts = Texts();
            byte[] hash = HashOf(texts);
            if (!hash.AsSpan().SequenceEqual(_seen))
            {
                (_value, _seen) = (_read(texts), hash);
                _say($"{Names}: read again, what is new is in force");
            }

            _said = null;
        }
        catch (Exception e) when (IsOfFiles(e))
        {
            string why = e is ProblemException { Problem: { } problem } ? problem.ToString() : e.Message;
            if (_said != why)
            {
                _said = why;
                _say($"{Names}: what is new there cannot be used, the old goes on: {why}");
            }
        }
        finally
        {
            _look.Exit();
        }
    }

    private long Next() => _time.GetTimestamp() + (long)(Interval.TotalSeconds * _time.TimestampFrequency);

    private string[] Texts() => [.. _paths.Select(File.ReadAllText)];

    private static byte[] HashOf(string[] texts) => SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\0', texts)));

    private static bool IsOfFiles(Exception e) => e is IOException or UnauthorizedAccessException or ProblemException or CryptographicException;
}
