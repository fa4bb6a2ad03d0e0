using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;

namespace Signpost.Engine.Training;

/// <summary>A neighbourhood sample: to the anchor, the positive vertex should be nearer than the negative one.</summary>
/// <param name="Anchor">Row of <see cref="RpqBatch.Anchors"/>.</param>
/// <param name="Positive">Row of <see cref="RpqBatch.Vertices"/>.</param>
/// <param name="Negative">Row of <see cref="RpqBatch.Vertices"/>; may be the positive one.</param>
internal readonly record struct RpqTriplet(int Anchor, int Positive, int Negative);

/// <summary>Routing decisions: candidate sets of beam searches, one after another (compressed sparse rows).</summary>
internal sealed class RpqRecords
{
    /// <summary>Query of each record, a row of <see cref="RpqBatch.Anchors"/>. Shape: [records].</summary>
    public required int[] Anchors { get; init; }

    /// <summary>The candidates of record i are those in [Starts[i], Starts[i + 1]), at least one. Shape: [records + 1].</summary>
    public required int[] Starts { get; init; }

    /// <summary>Rows of <see cref="RpqBatch.Vertices"/>, in any order.</summary>
    public required int[] Candidates { get; init; }

    /// <summary>True where the candidate is a right next hop; at least one of each record. Shape: that of Candidates.</summary>
    public required bool[] Acceptable { get; init; }

    /// <summary>w_S, at least 0; only their ratios matter. Shape: [records].</summary>
    public required float[] Weights { get; init; }

    /// <summary>No records.</summary>
    public static RpqRecords None { get; } = new() { Anchors = [], Starts = [0], Candidates = [], Acceptable = [], Weights = [] };

    /// <summary>Records.</summary>
    public int Count => Anchors.Length;
}

/// <summary>The samples of one step of training.</summary>
internal sealed class RpqBatch
{
    /// <summary>Training queries. Shape: [A, dim].</summary>
    public required FloatRows Anchors { get; init; }

    /// <summary>The vertices that triplets and records name, each once. Shape: [V, dim].</summary>
    public required FloatRows Vertices { get; init; }

    /// <summary>Samples of the neighbourhood loss.</summary>
    public RpqTriplet[] Triplets { get; init; } = [];

    /// <summary>Samples of the routing loss.</summary>
    public RpqRecords Records { get; init; } = RpqRecords.None;

    /// <summary>
    /// Codes of the vertices, one byte per subspace whatever K, shape [V, M]. They are then taken as they are, and no gradient flows
    /// through assignments of vertices. Null: the nearest codewords.
    /// </summary>
    public byte[]? Codes { get; init; }

    /// <summary>Number of the step; with the seed it decides the noise.</summary>
    public long Step { get; init; }

    /// <summary>Refuses indices and shapes that fit neither each other nor <paramref name="parameters"/>.</summary>
    public void CheckAgainst(RpqParameters parameters)
    {
        int anchors = Anchors.Count;
        int vertices = Vertices.Count;
        Check.That(Anchors.Dim == parameters.Dim && Vertices.Dim == parameters.Dim);
        Check.That(Codes is null || Codes.Length == (long)vertices * parameters.M);
        foreach (RpqTriplet triplet in Triplets)
        {
            Check.That((uint)triplet.Anchor < (uint)anchors);
            Check.That((uint)triplet.Positive < (uint)vertices && (uint)triplet.Negative < (uint)vertices);
        }

        Check.That(Records.Starts.Length == Records.Count + 1 && Records.Weights.Length == Records.Count);
        Check.That(Records.Starts[0] == 0 && Records.Starts[^1] == Records.Candidates.Length);
        Check.That(Records.Acceptable.Length == Records.Candidates.Length);
        for (int i = 0; i < Records.Count; i++)
        {
            Check.That((uint)Records.Anchors[i] < (uint)anchors && Records.Weights[i] >= 0);
            Check.That(Records.Acceptable.AsSpan(Records.Starts[i]..Records.Starts[i + 1]).Contains(true));
        }

        foreach (int candidate in Records.Candidates)
        {
            Check.That((uint)candidate < (uint)vertices);
        }
    }
}
