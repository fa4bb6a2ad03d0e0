using System.Buffers;
using Signpost.Client.Wire;
using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Training;

namespace Signpost.Grains.Wire;

/// <summary>
/// A trace of a shard. Request: collection, shard, quantizer (the bytes of its file), the numbers of the request and of its sampling,
/// threads. Answer: problem or nil, sample (the bytes of its file) or nil, codes, recall, agreement.
/// </summary>
internal static class TraceCodec
{
    private const int RequestValues = 11;
    private const int SamplingValues = 13;
    private const int AnswerValues = 5;
    private const int MostQueries = 1 << 20;
    private const int MostL = 4096;

    public static byte[] WriteRequest(ReplicaId replica, TraceRequest request, int threads)
    {
        byte[] quantizer = QuantizerFile.Serialize(request.Quantizer);
        var output = new ArrayBufferWriter<byte>(quantizer.Length + 256);
        MessagePackWriter writer = Message.BeginTo(output, replica.Silo, RequestValues);
        ShardCodec.Write(writer, replica.Shard);
        writer.Write(quantizer);
        WriteSampling(writer, request.Sampling);
        writer.Write(request.TrainingQueries);
        writer.Write(request.HeldOutQueries);
        writer.Write(request.Place);
        writer.Write(request.ScoreL);
        writer.Write(request.Round);
        writer.Write(request.WithSample);
        writer.Write(threads);
        return output.WrittenSpan.ToArray();
    }

    public static (ReplicaId Replica, TraceRequest Request, int Threads) ReadRequest(ReadOnlySpan<byte> message)
    {
        MessagePackReader reader = Message.OpenTo(message, RequestValues, out SiloId silo);
        ShardId shard = ShardCodec.Read(ref reader);
        var request = new TraceRequest
        {
            Quantizer = QuantizerFile.Parse(reader.ReadBinary(), "the quantizer of a trace"),
            Sampling = ReadSampling(ref reader),
            TrainingQueries = Message.ReadCount(ref reader, MostQueries),
            HeldOutQueries = Message.ReadCount(ref reader, MostQueries),
            Place = Message.ReadCount(ref reader),
            ScoreL = reader.ReadInt32(1, MostL),
            Round = reader.ReadUInt64(),
            WithSample = reader.ReadBoolean(),
        };
        int threads = Message.ReadCount(ref reader);
        Message.End(reader);
        return (new ReplicaId(shard, silo), request, threads);
    }

    public static byte[] WriteAnswer(in Outcome<ShardTrace> outcome, WireLimits limits)
    {
        using var sample = new MemoryStream();
        if (outcome.Value?.Sample is not null)
        {
            RoutingSampleFile.Write(outcome.Value.Sample, sample);
        }

        byte[] codes = outcome.Value?.Codes ?? [];
        long bytes = sample.Length + codes.Length;
        if (bytes > limits.ControlAnswerBytes - 4096)
        {
            throw new ProblemException(new Problem(
                ProblemCode.InvalidArgument, "traces", $"{bytes} bytes", $"at most {limits.ControlAnswerBytes}", "Train with fewer queries."));
        }

        var output = new ArrayBufferWriter<byte>((int)bytes + 256);
        MessagePackWriter writer = Message.Begin(output, AnswerValues);
        ProblemCodec.Write(writer, outcome.Problem);
        if (outcome.Value?.Sample is null)
        {
            writer.WriteNil();
        }
        else
        {
            writer.Write(sample.GetBuffer().AsSpan(0, (int)sample.Length));
        }

        writer.Write(codes);
        writer.Write(outcome.Value?.Score.Recall ?? 0);
        writer.Write(outcome.Value?.Score.Agreement ?? 0);
        return output.WrittenSpan.ToArray();
    }

    public static Outcome<ShardTrace> ReadAnswer(ReadOnlySpan<byte> message)
    {
        MessagePackReader reader = Message.Open(message, AnswerValues);
        Problem? problem = ProblemCodec.Read(ref reader);
        RoutingSample? sample = null;
        if (!reader.TryReadNil())
        {
            using var stream = new MemoryStream(reader.ReadBinary().ToArray(), writable: false);
            sample = RoutingSampleFile.Read(stream, "the sample of a trace");
        }

        byte[] codes = reader.ReadBinary().ToArray();
        var score = new RoutingScore(reader.ReadDouble(), reader.ReadDouble());
        Message.End(reader);
        return problem is null ? new ShardTrace(sample, codes, score) : problem;
    }

    private static void WriteSampling(MessagePackWriter writer, SamplingOptions sampling)
    {
        writer.WriteArrayHeader(SamplingValues);
        writer.Write(sampling.Queries);
        writer.Write(sampling.HeldOut);
        writer.Write(sampling.L);
        writer.Write(sampling.Top);
        writer.Write(sampling.New);
        writer.Write((int)sampling.Candidates);
        writer.Write(sampling.HopsPerQuery);
        writer.Write(sampling.CandidatesPerHop);
        writer.Write(sampling.Positives);
        writer.Write(sampling.Negatives);
        writer.Write((int)sampling.Neighbours);
        writer.Write((int)sampling.Label);
        writer.Write(sampling.Seed);
    }

    private static SamplingOptions ReadSampling(ref MessagePackReader reader)
    {
        Message.ReadArray(ref reader, SamplingValues);
        var sampling = new SamplingOptions
        {
            Queries = reader.ReadInt32(),
            HeldOut = reader.ReadInt32(),
            L = reader.ReadInt32(),
            Top = reader.ReadInt32(),
            New = reader.ReadInt32(),
            Candidates = Message.ReadEnum<CandidateSet>(ref reader),
            HopsPerQuery = reader.ReadInt32(),
            CandidatesPerHop = reader.ReadInt32(),
            Positives = reader.ReadInt32(),
            Negatives = reader.ReadInt32(),
            Neighbours = Message.ReadEnum<NeighbourSource>(ref reader),
            Label = Message.ReadEnum<HopLabel>(ref reader),
            Seed = reader.ReadUInt64(),
        };
        return Problem.Join([.. sampling.Validate()]) is { } problem ? throw new ProblemException(problem) : sampling;
    }
}
