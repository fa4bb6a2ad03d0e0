using System.Runtime.InteropServices;
using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Tests.Support;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Quantizers;

/// <summary>Our codes lose at most 3 % more than those of faiss, learned from the same vectors.</summary>
public class FaissComparisonTests
{
    private const string SiftSmall = "siftsmall/siftsmall_base.fvecs";
    private const string Mnist = "mnist/mnist_base.bvecs";
    private const double MostOfFaiss = 1.03;

    [FaissFact(SiftSmall)]
    public void Pq_on_siftsmall_is_as_good_as_faiss() => Compare(SiftSmall, 5_000, QuantizerKind.Pq, rotations: 0);

    [FaissFact(Mnist)]
    public void Pq_on_mnist_is_as_good_as_faiss() => Compare(Mnist, 2_500, QuantizerKind.Pq, rotations: 0);

    [FaissFact(SiftSmall)]
    public void Opq_on_siftsmall_is_as_good_as_faiss_of_as_many_rounds() => Compare(SiftSmall, 2_500, QuantizerKind.Opq, rotations: 6);

    private static void Compare(string relativePath, int count, QuantizerKind kind, int rotations)
    {
        const int M = 16;
        using VectorBlock all = VectorFile.Open(RealData.Path(relativePath));
        using VectorBlock vectors = all.Gather([.. Enumerable.Range(0, count).Select(i => i * (all.Count / count))]);
        var options = new QuantizerOptions { M = M, Rotations = rotations };

        IQuantizer quantizer = QuantizerTrainer.Train(kind, vectors, Metric.L2, options, new Work(2));
        double ours = QuantizerError.MeanSquared(quantizer, vectors, new Work(2));
        double theirs = WithFvecs(vectors, path => Faiss.MeanSquaredError(path, M, rotations));

        Assert.InRange(ours, 0, MostOfFaiss * theirs);
    }

    private static T WithFvecs<T>(VectorBlock vectors, Func<string, T> use)
    {
        string path = Path.GetTempFileName();
        try
        {
            using (FileStream file = File.Create(path))
            {
                for (long i = 0; i < vectors.Count; i++)
                {
                    file.Write(BitConverter.GetBytes(vectors.Dim));
                    file.Write(MemoryMarshal.AsBytes<float>(TestVectors.Row(vectors, i)));
                }
            }

            return use(path);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
