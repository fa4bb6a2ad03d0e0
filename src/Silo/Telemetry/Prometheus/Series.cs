namespace Signpost.Silo.Telemetry.Prometheus;

/// <summary>One combination of labels of a metric, and its values. Thread-safe.</summary>
/// <param name="labels">Names and values, in the order in which they are recorded.</param>
/// <param name="bounds">Upper bounds of the buckets, ascending; null where there are none.</param>
internal sealed class Series(KeyValuePair<string, string>[] labels, double[]? bounds)
{
    private readonly Lock _lock = new();
    private readonly long[] _buckets = new long[bounds is null ? 0 : bounds.Length + 1]; // those above the last bound at the end
    private double _value;

    /// <summary>Names and values.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Labels => labels;

    /// <summary>When an observed value was last told; what the page before the last one told is not told again.</summary>
    public long Round { get; private set; }

    /// <summary>Another series of the same hash.</summary>
    public Series? Next { get; init; }

    /// <summary>Whether it has these labels.</summary>
    public bool Is(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.Length != labels.Length)
        {
            return false;
        }

        for (int i = 0; i < tags.Length; i++)
        {
            if (tags[i].Key != labels[i].Key || (tags[i].Value as string ?? tags[i].Value?.ToString() ?? "") != labels[i].Value)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Adds to a sum.</summary>
    public void Add(double value)
    {
        lock (_lock)
        {
            _value += value;
        }
    }

    /// <summary>Takes the place of what was observed in rounds before; several values of one round, as in the series that others share, are added up.</summary>
    public void Observe(double value, long round)
    {
        lock (_lock)
        {
            (_value, Round) = (Round == round ? _value + value : value, round);
        }
    }

    /// <summary>Counts a value in its bucket.</summary>
    public void Count(double value)
    {
        int bucket = 0;
        while (bucket < bounds!.Length && !(value <= bounds[bucket]))
        {
            bucket++;
        }

        lock (_lock)
        {
            _buckets[bucket]++;
            _value += value;
        }
    }

    /// <summary>The value, or the sum; and into <paramref name="buckets"/> how many values were in each bucket: all of the same moment.</summary>
    public double Read(Span<long> buckets)
    {
        lock (_lock)
        {
            _buckets.CopyTo(buckets);
            return _value;
        }
    }
}
