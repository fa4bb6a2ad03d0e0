using Signpost.Engine.Base;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;

namespace Signpost.Engine.Tests.Shards;

/// <summary>Splits, merges and compactions of a collection's files.</summary>
public class LayoutJobTests : LayoutTest
{
    private static readonly SearchParameters Exact = new(10, Count, SearchMode.Exact);

    [Fact]
    public void A_split_is_metadata_over_the_same_segment_and_answers_stay_bit_for_bit()
    {
        CollectionManifest built = Build(shards: 2);
        SearchParameters[] ways = [new(10, 12, SearchMode.Exact), new(10, 12, SearchMode.Codes), new(10, 40, SearchMode.CodesRerank), new(10, 40, SearchMode.CodesRerank, 11)];
        Hit[][][] before = [.. ways.Select(Answers)];
        string[] files = [.. NamesIn(Folder).Order()];

        LayoutResult result = Split(1);

        Assert.Equal(files, NamesIn(Folder).Order());
        Assert.Equal([(0, 0, 8192), (2, 8192, 12288), (3, 12288, 16384)], result.Manifest.Shards.Select(s => (s.Id, s.SlotFrom, s.SlotTo)));
        Assert.All(result.Added, part => Assert.Equal(
            (built.Shards[1].Segment, built.Shards[1].Codes, new SegmentExtent(8192, 16384, built.Shards[1].Count)), (part.Segment, part.Codes, part.Whole)));
        Assert.Equal(built.Shards[1].Count, result.Added.Sum(part => part.Count));
        Assert.Equal([built.Shards[1]], result.Manifest.Replaced);
        Assert.Equal(before, ways.Select(Answers));
        Assert.All(IdsByShard(), shard => Assert.Equal(result.Manifest.Shards.Single(s => s.Id == shard.Key).Count, shard.Value.Length));
    }

    [Fact]
    public void Parts_of_a_segment_take_its_memory_once_and_go_with_the_last_of_them()
    {
        Build(shards: 1);
        Split(0);
        using Collection collection = Open();

        Assert.Same(collection.ShardOf(1), collection.ShardOf(2));
        Assert.Equal((2, 2, Count), (collection.Info.Shards, collection.Info.ShardsOpen, (int)collection.Info.Memory.Count));
        Shard shared = collection.ShardOf(1);
        collection.CloseShard(1);
        Assert.False(shared.IsFreed);
        Assert.Equal(0, collection.BytesOf(1));
        Assert.Same(shared, collection.OpenShard(1, Work.Quiet).Value);
        collection.CloseShard(1);
        collection.CloseShard(2);
        Assert.True(shared.IsFreed);
        Assert.True(collection.BytesOf(1) > 0);
        Assert.NotSame(shared, collection.OpenShard(0, Work.Quiet).OrThrow()); // the one that was replaced can still be opened
    }

    [Fact]
    public void Compacted_parts_are_what_a_build_of_these_vectors_makes()
    {
        CollectionManifest built = Build(shards: 2);
        string reference = Path.Combine(Root, "reference");
        CollectionManifest halves = Build(Vectors, Options(4), folder: reference);
        Split(0);
        LayoutResult result = Compact();

        Assert.Equal([4, 5, 1], result.Manifest.Shards.Select(s => s.Id));
        Assert.All(result.Manifest.Shards, shard => Assert.Null(shard.Whole));
        Assert.Equal([0, 2, 3], result.Manifest.Replaced.Select(s => s.Id));
        foreach ((ManifestShard made, ManifestShard expected) in result.Added.Zip(halves.Shards))
        {
            Assert.Equal(File.ReadAllBytes(Path.Combine(reference, expected.Segment)), File.ReadAllBytes(Path.Combine(Folder, made.Segment)));
        }

        Assert.Empty(Compact().Added);
        Assert.Equal(built.Lineage, result.Manifest.Lineage);
        Assert.Equal(Nearest(), Answers(Exact).Select(hits => hits.Select(h => h.Id)));
    }

    [Fact]
    public void Neighbours_merge_into_one_segment_and_parts_of_one_segment_without_building()
    {
        Build(shards: 4);
        Merge(1, 0);
        Split(4);
        Merge(5, 6);
        LayoutResult result = Merge(7, 2);

        Assert.Equal([(8, 0, 12288), (3, 12288, 16384)], result.Manifest.Shards.Select(s => (s.Id, s.SlotFrom, s.SlotTo)));
        Assert.Equal(Nearest(), Answers(Exact).Select(hits => hits.Select(h => h.Id)));
        Assert.Equal([0, 1, 4, 5, 6, 7, 2], result.Manifest.Replaced.Select(s => s.Id));
        ManifestShard whole = result.Manifest.Replaced.Single(s => s.Id == 7);
        Assert.Null(whole.Whole);
        Assert.Equal(whole.Segment, result.Manifest.Replaced.Single(s => s.Id == 4).Segment);
    }

    [Fact]
    public void Any_sequence_of_changes_keeps_every_vector_once_and_every_slot_owned_once()
    {
        for (ulong seed = 1; seed <= 4; seed++)
        {
            Directory.CreateDirectory(Folder);
            Directory.Delete(Folder, recursive: true);
            var random = new Seeded(seed, 0);
            CollectionManifest manifest = Build(1 + random.Next(3), withCodes: seed % 2 == 0);
            string lineage = manifest.Lineage;
            HashSet<int> numbers = [.. manifest.Shards.Select(s => s.Id)];
            for (int i = 0; i < 8; i++)
            {
                int at = random.Next(manifest.Shards.Count);
                LayoutResult done = random.Next(4) switch
                {
                    0 when at > 0 => Merge(manifest.Shards[at].Id, manifest.Shards[at - 1].Id),
                    1 => Compact(),
                    2 => Split(manifest.Shards[at].Id, manifest.Shards[at].SlotFrom + 1 + random.Next(manifest.Shards[at].SlotTo - manifest.Shards[at].SlotFrom - 1)),
                    _ => Split(manifest.Shards[at].Id),
                };
                manifest = Manifest;
                Assert.True(done.Manifest.IsSame(manifest));
                Assert.All(done.Added, shard => Assert.True(numbers.Add(shard.Id), $"{shard.Id} was used before"));
                Assert.Equal(lineage, manifest.Lineage);
                if (random.Next(3) == 0)
                {
                    LayoutJob.Forget(Disk, Folder, null, Work.Quiet).OrThrow();
                }
            }

            Dictionary<int, ulong[]> ids = IdsByShard();
            Assert.Equal(Enumerable.Range(0, Count).Select(i => (ulong)i), ids.Values.SelectMany(id => id).Order());
            Assert.All(manifest.Shards, shard => Assert.Equal(shard.Count, ids[shard.Id].Length));
            Assert.All(manifest.Shards, shard => Assert.All(ids[shard.Id], id => Assert.True(new SlotRange(shard.SlotFrom, shard.SlotTo).Owns(id))));
            Assert.Equal(Nearest(), Answers(Exact).Select(hits => hits.Select(h => h.Id)));
        }
    }

    [Fact]
    public void A_change_killed_at_any_change_of_the_disk_leaves_the_old_layout_whole_and_is_finished_by_the_next_run()
    {
        Build(shards: 2);
        string built = Path.Combine(Root, "built");
        Directory.Move(Folder, built);
        Dictionary<string, byte[]>? expected = null;
        for (int changes = int.MaxValue; ; changes = changes == int.MaxValue ? 0 : changes + 1)
        {
            Directory.CreateDirectory(Folder);
            foreach (string name in NamesIn(built))
            {
                File.Copy(Path.Combine(built, name), Path.Combine(Folder, name));
            }

            var disk = new StoppingDisk(changes);
            bool finished = false;
            try
            {
                finished = Change(m => Nullable(LayoutChange.Merge(m, 0, 1)), disk).Ok;
            }
            catch (StoppingDisk.StoppedException)
            {
                using Collection collection = Open(new CollectionOptions { RequireAll = true });
                Assert.Contains(collection.Shards.Count, (int[])[1, 2]);
                Assert.Equal(Count, collection.Info.Vectors);
            }

            if (!finished && Manifest.Shards.Count == 2)
            {
                Merge(0, 1);
            }

            LayoutJob.Forget(Disk, Folder, null, Work.Quiet).OrThrow();
            Assert.Equal(expected ??= FilesIn(Folder), FilesIn(Folder));
            Directory.Delete(Folder, recursive: true);
            if (finished && changes < int.MaxValue)
            {
                Assert.True(changes > 10);
                break;
            }
        }
    }

    [Fact]
    public void A_change_cancelled_in_any_phase_leaves_the_old_layout_and_goes_on_with_what_is_whole()
    {
        Build(shards: 1);
        Split(0);
        byte[] before = File.ReadAllBytes(Path.Combine(Folder, CollectionManifest.FileName));
        for (int reports = 1; ; reports++)
        {
            using var stop = new CancellationTokenSource();
            try
            {
                Change(m => new Outcome<LayoutChange?>(LayoutChange.Compact(m), null), work: new Work(1, new CancelAfter(reports, stop), stop.Token)).OrThrow();
                Assert.True(reports > 8);
                break;
            }
            catch (OperationCanceledException)
            {
                Assert.Equal(before, File.ReadAllBytes(Path.Combine(Folder, CollectionManifest.FileName)));
            }
        }

        Assert.Equal(Nearest(), Answers(Exact).Select(hits => hits.Select(h => h.Id)));
    }

    [Fact]
    public void What_is_forgotten_leaves_the_folder_and_numbers_go_on()
    {
        Build(shards: 1);
        Split(0);
        Compact();
        string[] before = [.. NamesIn(Folder)];

        CollectionManifest left = LayoutJob.Forget(Disk, Folder, null, Work.Quiet).OrThrow();

        Assert.Empty(left.Replaced);
        Assert.Equal(left.Files.Append(CollectionManifest.FileName).Order(), NamesIn(Folder).Order());
        Assert.Equal(before.Length - 2, NamesIn(Folder).Count());

        // One that is killed between the manifest and the files leaves them, and the next one finds nothing to forget.
        string former = Path.Combine(Folder, before.First(name => name.EndsWith(".segment", StringComparison.Ordinal) && !left.Files.Contains(name)));
        string ofTraining = Path.Combine(Folder, CollectionFiles.Codes(left.Shards[0].Segment, "quantizer-0123456789abcdef.codebook"));
        File.WriteAllBytes(former, [1]);
        File.WriteAllBytes(ofTraining, [1]);
        LayoutJob.Forget(Disk, Folder, null, Work.Quiet).OrThrow();
        Assert.Equal((false, true), (File.Exists(former), File.Exists(ofTraining)));
        Assert.Equal([5, 6], Split(3).Added.Select(s => s.Id));
    }

    [Fact]
    public void A_change_that_cannot_be_is_refused_with_nothing_changed()
    {
        Build(shards: 3);
        byte[] before = File.ReadAllBytes(Path.Combine(Folder, CollectionManifest.FileName));

        Assert.Equal(ProblemCode.NotFound, Change(m => Nullable(LayoutChange.Split(m, 7))).Problem?.Code);
        Assert.Equal(ProblemCode.InvalidArgument, Change(m => Nullable(LayoutChange.Split(m, 0, 0))).Problem?.Code);
        Assert.Equal(ProblemCode.InvalidArgument, Change(m => Nullable(LayoutChange.Merge(m, 0, 2))).Problem?.Code);
        Assert.Equal(ProblemCode.InvalidArgument, Change(m => Nullable(LayoutChange.Merge(m, 1, 1))).Problem?.Code);
        Assert.Equal(ProblemCode.NotFound, LayoutJob.Run(Disk, Root, _ => default, 0, null, Work.Quiet).Problem?.Code);
        Assert.Equal(
            ProblemCode.NotEnoughMemory, LayoutJob.Run(Disk, Folder, m => Nullable(LayoutChange.Merge(m, 0, 1)), 1000, null, Work.Quiet).Problem?.Code);
        using (CollectionFiles.Lock(Disk, Folder).Value)
        {
            Assert.Equal(ProblemCode.Busy, Change(m => Nullable(LayoutChange.Split(m, 0))).Problem?.Code);
        }

        Assert.Equal(before, File.ReadAllBytes(Path.Combine(Folder, CollectionManifest.FileName)));
    }

    private IEnumerable<IEnumerable<ulong>> Nearest() =>
        Enumerable.Range(0, Count / 20).Select(i => Nearest(Vectors, Vectors.RowSpan(i * 20), 10).Select(hit => hit.Id));
}
