using Signpost.Engine.Base;
using Signpost.Engine.Cluster;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Engine.Tests.Training;
using Signpost.Engine.Training;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Cluster;

/// <summary>RPQ as a training of a collection in several shards.</summary>
public class RpqMethodTests : TrainingTest
{
    private static readonly RpqMethod Rpq = new(RpqRuns.Tiny with { M = 6 }); // where held-out queries want refined codes

    [Fact]
    public void A_collection_gets_refined_codes_in_every_shard_and_no_checkpoint_stays()
    {
        Build(shards: 3);

        TrainingResult result = Train(Rpq).OrThrow();

        Assert.Equal(new CodesInfo(QuantizerKind.Rpq, Rpq.Options.M, 16, 2), result.Manifest.Quantizer!.Info);
        Assert.Equal(Rpq.Options.Steps, result.Rpq!.Steps);
        Assert.Equal([.. result.Manifest.Files, CollectionManifest.FileName], NamesIn(Folder).ToHashSet());
        using Collection collection = Open(new CollectionOptions { RequireAll = true });
        Assert.Equal(Rpq.Options.Refinement, Assert.IsType<RoutingProductQuantizer>(collection.Quantizer).Refinement);
        Assert.NotEmpty(Answers());

        TrainingResult again = Train(Rpq).OrThrow();
        Assert.True(again.WasDone);
        Assert.Null(again.Rpq);
    }

    [Fact]
    public void A_training_that_is_stopped_leaves_the_old_codes_and_a_checkpoint_and_the_next_run_ends_as_if_it_had_not_been()
    {
        CollectionManifest old = Build(shards: 3);
        Hit[][] before = Answers();
        Train(Rpq).OrThrow();
        Dictionary<string, byte[]> finished = FilesIn(Folder);
        Directory.Delete(Folder, recursive: true);
        Build(shards: 3);
        using var stop = new CancellationTokenSource();

        Assert.ThrowsAny<OperationCanceledException>(() => Train(Rpq, work: new Work(2, new StopAt("learn RPQ", 8, stop), stop.Token)));

        Assert.Single(Directory.GetFiles(Folder, "training-*.checkpoint"));
        Assert.Equal(old.CodesVersion, ManifestFile.Open(Disk, Folder).OrThrow().CodesVersion);
        Assert.Equal(before, Answers());
        TrainingResult result = Train(Rpq).OrThrow();
        Assert.Equal(8, result.Rpq!.ResumedAt);
        Assert.Equal(finished, FilesIn(Folder));
    }

    [Fact]
    public void A_damaged_checkpoint_is_told_and_the_training_begins_anew()
    {
        Build(shards: 1);
        using var stop = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() => Train(Rpq, work: new Work(1, new StopAt("learn RPQ", 8, stop), stop.Token)));
        string checkpoint = Directory.GetFiles(Folder, "*.checkpoint").Single();
        File.WriteAllBytes(checkpoint, File.ReadAllBytes(checkpoint)[..^3]);

        TrainingResult result = Train(Rpq).OrThrow();

        Assert.Null(result.Rpq!.ResumedAt);
        Assert.Contains("checkpoint", result.Rpq.Notice);
        Assert.False(File.Exists(checkpoint));
    }

    [Fact]
    public void The_checkpoint_of_other_settings_is_litter_to_the_next_training()
    {
        Build(shards: 1);
        using var stop = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() => Train(Rpq, work: new Work(1, new StopAt("learn RPQ", 8, stop), stop.Token)));

        Train(Opq).OrThrow();

        Assert.Empty(Directory.GetFiles(Folder, "*.checkpoint"));
    }

    [Fact]
    public void Inner_product_is_refused_with_nothing_changed()
    {
        using VectorBlock vectors = Bytes(Count);
        Build(vectors, WithCodes(1) with { Metric = Metric.InnerProduct });
        string[] before = [.. NamesIn(Folder)];

        Assert.Equal(ProblemCode.NotSupported, Train(Rpq).Problem?.Code);
        Assert.Equal(before, NamesIn(Folder));
    }

    /// <summary>Stops the work when a phase has done so much.</summary>
    private sealed class StopAt(string phase, long done, CancellationTokenSource stop) : IProgress<PhaseProgress>
    {
        public void Report(PhaseProgress value)
        {
            if (value.Phase == phase && value.Done >= done)
            {
                stop.Cancel();
            }
        }
    }
}
