using Signpost.Engine.Base;
using Signpost.Engine.Graphs;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Shards;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Shards;

public unsafe class ShardEncoderTests : ShardTest
{
    [Theory]
    [InlineData(16, 1)]
    [InlineData(16, 3)]
    [InlineData(256, 2)]
    public void The_codes_are_those_of_each_vector_by_itself_in_order_whatever_the_threads_and_blocks(int k, int threads)
    {
        using VectorBlock vectors = Bytes(5000);
        using Graph graph = Graph.Allocate(5000, 2, 0);
        IQuantizer quantizer = QuantizerTrainer.Train(
            QuantizerKind.Pq, vectors, Metric.L2, new QuantizerOptions { M = 5, K = k, TrainingVectors = 512, Iterations = 2 }, Work.Quiet);
        byte[] expected = new byte[5000 * quantizer.CodeBytes];
        fixed (byte* first = expected)
        {
            for (int row = 0; row < 5000; row++)
            {
                quantizer.Encode(vectors, row, 1, first + (row * quantizer.CodeBytes));
            }
        }

        foreach (int blockBytes in (int[])[1, 3000 * quantizer.CodeBytes, 1 << 22])
        {
            var codes = new List<byte>();
            long largest = 0;
            ShardEncoder.Encode(vectors, graph, graph.Neighbours, quantizer, (block, bytes) =>
            {
                codes.AddRange(new ReadOnlySpan<byte>(block, (int)bytes).ToArray());
                largest = Math.Max(largest, bytes);
            }, new Work(threads), blockBytes);
            Assert.Equal(expected, codes);
            Assert.True(largest <= Math.Max(blockBytes, threads * 1024 * quantizer.CodeBytes)); // the memory is bounded
        }
    }

    [Fact]
    public void It_tells_its_progress_and_can_be_cancelled_between_two_chunks()
    {
        using VectorBlock vectors = Bytes(5000);
        using Graph graph = Graph.Allocate(5000, 2, 0);
        IQuantizer quantizer = QuantizerTrainer.Train(
            QuantizerKind.Pq, vectors, Metric.L2, new QuantizerOptions { M = 5, K = 16, TrainingVectors = 512, Iterations = 2 }, Work.Quiet);
        using var stop = new CancellationTokenSource();
        long taken = 0;

        Assert.Throws<OperationCanceledException>(() => ShardEncoder.Encode(
            vectors, graph, graph.Neighbours, quantizer, (_, bytes) => taken += bytes, new Work(1, new CancelAfter(2, stop), stop.Token), blockBytes: 1));

        Assert.Equal(2 * 1024 * quantizer.CodeBytes, taken);
    }
}
