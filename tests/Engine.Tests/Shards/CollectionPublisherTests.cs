using Signpost.Engine.Base;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Shards;

public class CollectionPublisherTests : ShardTest
{
    private readonly DirectorySegmentStore _store;
    private readonly CollectionManifest _manifest;

    public CollectionPublisherTests()
    {
        _store = new DirectorySegmentStore(Disk, Path.Combine(Root, "store"));
        _manifest = Build(seed: 1);
    }

    [Fact]
    public void A_published_collection_is_the_built_one_and_publishing_it_again_does_nothing()
    {
        PublishResult first = Publish().OrThrow();
        PublishResult again = Publish().OrThrow();

        Assert.Equal(["test"], _store.Collections(default));
        Assert.Equal(FilesIn(Folder), FilesIn(_store.FolderOf("test")));
        long bytes = _manifest.Files.Sum(file => new FileInfo(Path.Combine(Folder, file)).Length);
        Assert.Equal((5, 5, bytes, false), (first.Files, first.FilesSent, first.BytesSent, first.WasThere));
        Assert.Equal((5, 0, 0L, true), (again.Files, again.FilesSent, again.BytesSent, again.WasThere));
    }

    [Fact]
    public void A_folder_without_a_collection_and_one_where_another_works_are_refused()
    {
        Assert.Equal(ProblemCode.NotFound, CollectionPublisher.Publish(Disk, Path.Combine(Root, "none"), _store, false, Work.Quiet).Problem?.Code);
        using IDisposable held = CollectionFiles.Lock(Disk, Folder).OrThrow();

        Assert.Equal(ProblemCode.Busy, Publish().Problem?.Code);

        Assert.Empty(_store.Collections(default));
    }

    [Fact]
    public void A_damaged_or_missing_file_is_never_published()
    {
        foreach (string file in _manifest.Files)
        {
            string path = Path.Combine(Folder, file);
            byte[] good = File.ReadAllBytes(path);
            File.WriteAllBytes(path, [.. good[..^1], (byte)(good[^1] ^ 1)]);
            Assert.Equal(path, Assert.Throws<BadFileException>(() => Publish()).Path);
            File.Delete(path);
            Assert.Equal(path, Assert.Throws<BadFileException>(() => Publish()).Path);
            File.WriteAllBytes(path, good);
            Assert.Null(_store.ReadManifest("test", default));
        }

        Assert.Equal(1, Publish().OrThrow().FilesSent); // the others had been there
    }

    [Fact]
    public void Another_collection_of_that_name_is_overwritten_only_where_that_is_said()
    {
        Publish().OrThrow();
        CollectionManifest other = Build(seed: 2);

        Assert.Equal(ProblemCode.AlreadyExists, Publish().Problem?.Code);
        Assert.True(_manifest.IsSame(ManifestFile.Open(Disk, _store.FolderOf("test")).OrThrow()));

        Publish(overwrite: true).OrThrow();
        Assert.True(other.IsSame(ManifestFile.Open(Disk, _store.FolderOf("test")).OrThrow()));
    }

    [Fact]
    public void Newer_codes_follow_older_ones_and_older_ones_do_not_take_their_place()
    {
        CollectionManifest newer = _manifest with { Quantizer = _manifest.Quantizer! with { Info = _manifest.Quantizer.Info with { Version = 2 } } };
        Publish().OrThrow();
        ManifestFile.Save(Disk, Folder, newer);
        Publish().OrThrow();
        ManifestFile.Save(Disk, Folder, _manifest);

        Problem? problem = Publish().Problem;

        Assert.Equal(ProblemCode.AlreadyExists, problem?.Code);
        Assert.Contains("version 2", problem!.Got);
        Publish(overwrite: true).OrThrow();
    }

    [Fact]
    public void A_process_that_is_killed_at_any_change_of_the_store_leaves_no_manifest_without_its_files()
    {
        for (int changes = 0; ; changes++)
        {
            string root = Path.Combine(Root, $"killed-{changes}");
            var disk = new StoppingDisk(changes);
            try
            {
                CollectionPublisher.Publish(Disk, Folder, new DirectorySegmentStore(disk, root), false, Work.Quiet).OrThrow();
            }
            catch (StoppingDisk.StoppedException)
            {
            }

            var store = new DirectorySegmentStore(Disk, root);
            if (store.Collections(default).Count > 0)
            {
                using Collection collection = Collection.Open(Disk, store.FolderOf("test"), new CollectionOptions { RequireAll = true }, Work.Quiet).OrThrow();
            }

            if (!disk.Stopped)
            {
                Assert.True(changes > 20);
                return;
            }

            CollectionPublisher.Publish(Disk, Folder, store, false, Work.Quiet).OrThrow(); // it goes on
            Assert.Single(store.Collections(default));
        }
    }

    [Fact]
    public void Its_progress_counts_the_bytes_of_each_file()
    {
        var reports = new List<PhaseProgress>();
        Publish(work: new Work(1, new Reports(reports))).OrThrow();

        foreach (string file in _manifest.Files)
        {
            PhaseProgress last = reports.Last(report => report.Phase == $"sending {file}");
            Assert.Equal((new FileInfo(Path.Combine(Folder, file)).Length, last.Total), (last.Done, last.Total));
        }
    }

    private Outcome<PublishResult> Publish(bool overwrite = false, Work? work = null) =>
        CollectionPublisher.Publish(Disk, Folder, _store, overwrite, work ?? Work.Quiet);

    private CollectionManifest Build(ulong seed)
    {
        using VectorBlock vectors = Bytes(300, seed: seed);
        var codes = new QuantizerOptions { M = 4, K = 16, TrainingVectors = 256 };
        return Build(vectors, Options(shards: 2) with { Quantizer = QuantizerKind.Pq, Codes = codes, Overwrite = true });
    }

    private sealed class Reports(List<PhaseProgress> list) : IProgress<PhaseProgress>
    {
        public void Report(PhaseProgress value) => list.Add(value);
    }
}
