using Signpost.Engine.Build;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Search;
using Signpost.Engine.Shards;
using Signpost.Engine.Storage;
using Signpost.Engine.Training;
using Signpost.Engine.Vectors;
using Signpost.Silo.Compare;
using Signpost.Silo.Security;
using static Signpost.Silo.SettingKinds;

namespace Signpost.Silo;

/// <summary>
/// Every setting there is. One that more than one command has stands here once, so that it means the same everywhere; those with
/// a path may also be set in <c>cluster.yaml</c>. To add one: a line here, and in <c>cluster.yaml</c> with the same default (a test compares).
/// </summary>
internal static class Settings
{
    // What building does where nobody says otherwise is the engine's to decide.
    private static readonly BuildOptions Build = new() { Name = "" };
    private static readonly GraphOptions Graph = Build.Graph;
    private static readonly QuantizerOptions Quantizer = Build.Codes;

    private static readonly int DefaultMemoryMiB = (int)Math.Clamp(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4 * 3 >> 20, 16, 1 << 24);

    public static readonly Setting<string?> Config = Text(
        "config", "Settings file.", "a YAML file", null, "Without it ./cluster.yaml is read where it exists.");

    public static readonly Setting<bool> Quiet = Flag("quiet", "Show no progress.");

    public static readonly Setting<bool> Json = Flag("json", "Print the result as one JSON object; progress goes to stderr.");

    public static readonly Setting<int> Threads = Whole(
        "threads", "Threads that work.", "threads", 1, 1024, Environment.ProcessorCount, "Searching and building keep every core busy.", "threads",
        "all");

    public static readonly Setting<string?> DataFolder = Text(
        "data-folder", "Folder that holds collections, each in a folder of its name.", "a folder", "data", "In the folder where you are.",
        "data_folder");

    // ---- vectors ----

    public static readonly Setting<string?> Data = Text(
        "data", "Base vectors: .fvecs .bvecs .fbin .u8bin .i8bin .npy; row i gets id i.", "a file", null, "", required: true);

    public static readonly Setting<string?> OptionalData = Text("data", "Base vectors; only read to compute exact neighbours.", "a file", null, "");

    public static readonly Setting<string?> Queries = Text(
        "queries", "Query vectors, same formats as base vectors.", "a file", null, "", required: true);

    public static readonly Setting<string?> OptionalQueries = Text("queries", "Query vectors, same formats as base vectors.", "a file", null, "");

    public static readonly Setting<string?> Truth = Text(
        "truth", "Exact neighbours of the queries: .ivecs or .bin.", "a file", null, "Without it they are computed, from --data.");

    public static readonly (string Word, Metric Value)[] MetricWords = [("l2", Metric.L2), ("ip", Metric.InnerProduct), ("cosine", Metric.Cosine)];

    public static readonly Setting<Metric> MetricOf = Choice("metric", "What near means.", MetricWords, Build.Metric, "L2 suits image descriptors.");

    public static readonly Setting<int> Seed = Whole(
        "seed", "Number from which all random choices follow.", "", 0, int.MaxValue, (int)Graph.Seed, "The same seed gives the same files, whatever the threads.");

    // ---- building ----

    public static readonly Setting<string?> Out = Text(
        "out", "Folder of the new collection.", "a folder", null, "Without it NAME in the data folder.");

    public static readonly Setting<string?> Name = Text(
        "name", "Name of the collection.", "letters, digits, . _ -", null, "Without it the name of the output folder.");

    public static readonly Setting<int> Shards = Whole(
        "shards", "Parts that the ids are hashed to.", "shards", 1, 4096, Build.Shards, "One graph over all is the fastest to search on one machine.");

    public static readonly Setting<int> R = Whole(
        "r", "Most out-neighbours of a vertex (R of NSG).", "edges", 2, 255, Graph.R, "Beyond it recall rises less than memory.");

    public static readonly Setting<int> BuildL = Whole(
        "l", "Candidate pool while building (L of NSG).", "candidates", 8, 4096, Graph.L, "Larger builds slower and hardly better.");

    public static readonly Setting<int> C = Whole(
        "c", "Most candidates of an edge selection (C of NSG).", "candidates", 8, 8192, Graph.C, "As in the NSG paper's SIFT1M setting.");

    public static readonly Setting<CodeKind> Codes = Choice(
        "quantizer", "Codes that searches can walk on.", [("none", CodeKind.None), ("pq", CodeKind.Pq), ("opq", CodeKind.Opq)], CodeKind.Pq,
        "A few bytes a vector in place of all.");

    public static readonly Setting<int> M = Whole(
        "m", "Subspaces of a code; a byte each at 256 codewords, half a byte at 16.", "subspaces", 1, 4096, 32,
        "4 dimensions a byte at dim 128; capped at dim.");

    public static readonly Setting<int> Codewords = Choice(
        "k", "Codewords per subspace.", [("256", 256), ("16", 16)], Quantizer.K, "256 is the more exact for the same bytes on most data.");

    public static readonly Setting<QuantizerKind> Method = Choice(
        "method", "How the codes are learned.", [("pq", QuantizerKind.Pq), ("opq", QuantizerKind.Opq), ("rpq", QuantizerKind.Rpq)], QuantizerKind.Opq,
        "Its error is the smaller of pq and opq.");

    public static readonly Setting<RpqProfile> Profile = Choice(
        "profile", "Settings of rpq.", [("best", RpqProfile.Best), ("faithful", RpqProfile.Faithful)], RpqProfile.Best,
        "faithful is the published program, for comparing.");

    public static readonly Setting<int> Steps = Whole(
        "steps", "Most steps of rpq.", "steps", 0, 10_000_000, -1, "It ends before where held-out queries find no more.", null, "its own");

    public static readonly Setting<int> TrainingQueries = Whole(
        "training-queries", "Walks that rpq learns from.", "queries", 1, 1 << 20, RpqOptions.Best.Sampling.Queries, "More take more memory.");

    public static readonly Setting<int> RotatedDim = Whole(
        "rotated-dim", "Directions in which rpq's codes see a vector.", "directions", 1, 65_536, 0, "As few as hold 99 % of what tells codes apart; all, where codes are not refined.", null, "auto");

    public static readonly Setting<bool> Overwrite = Flag("overwrite", "Replace a collection that is there already.");

    public static readonly Setting<bool> OverwriteInStore = Flag(
        "overwrite", "Replace a collection of that name that has other vectors, other graphs or newer codes.");

    public static readonly Setting<int> MemoryLimitMb = Whole(
        "memory-limit", "Refuse to start when building needs more.", "MiB", 16, int.MaxValue, int.MaxValue,
        "Refusing early is better than being killed late.", null, "all");

    // ---- changing shards ----

    public static readonly Setting<int> At = Whole(
        "at", "First slot of the second half.", "", 1, SegmentInfo.SlotCount - 1, SegmentInfo.SlotCount / 2, "Ids are spread evenly over the slots.", null, "the middle");

    public static readonly Setting<bool> CompactToo = Flag("compact", "Then give every shard that is a part of a segment its own, as compact does.");

    public static readonly Setting<string?> TurningUrl = Text(
        "url", "Server of the collection: wait until it has turned to the new shards, then remove the files of the old ones.", "http://HOST:PORT", null,
        "Without it the files stay until compact --sweep.");

    public static readonly Setting<bool> Sweep = Flag("sweep", "Remove the files of former shards: every server has turned, or none serves the collection.");

    // ---- searching ----

    public static readonly Setting<string?> Collection = Text(
        "collection", "Folder of the collection, or its name in the data folder.", "a folder or name", null, "", required: true);

    public static readonly Setting<string?> OneQuery = Text("query", "One query vector.", "numbers between commas", null, "");

    public static readonly Setting<int> K = Whole("k", "Neighbours wanted.", "neighbours", 1, 10_000, 10, "What most papers report.", "search.k");

    public static readonly Setting<int> L = Whole(
        "l", "Candidate pool of a search, at least k: more is slower and finds more.", "candidates", 1, 65_536, 64,
        "About 95 % recall@10 on image descriptors.", "search.l");

    public static readonly (string Word, SearchMode Value)[] ModeWords =
        [("exact", SearchMode.Exact), ("codes", SearchMode.Codes), ("codes+rerank", SearchMode.CodesRerank)];

    public static readonly Setting<ModeChoice> Mode = Choice(
        "mode",
        "Distances that the walk uses; auto is codes+rerank where the collection has codes, else exact.",
        [("auto", ModeChoice.Auto), ("exact", ModeChoice.Exact), ("codes", ModeChoice.Codes), ("codes+rerank", ModeChoice.CodesRerank)],
        ModeChoice.Auto,
        "It touches the fewest bytes for its recall.",
        "search.mode");

    public static readonly Setting<int> Rerank = Whole(
        "rerank", "Pool entries that get an exact distance under codes+rerank, k .. l.", "candidates", 1, 65_536, 0,
        "All of the pool is the most exact.", "search.rerank", "all");

    public static readonly Setting<int> TimeoutMs = Whole(
        "timeout-ms", "Time after which a search answers with what it has.", "ms", 1, 3_600_000, 10_000, "Longer than any healthy search.",
        "search.timeout_ms");

    public static readonly Setting<string?> HitsOut = Text("out", "Write the hits' ids here, a row per query.", "an .ivecs file", null, "");

    public static readonly Setting<string?> TruthOut = Text(
        "out", "File of the exact neighbours.", "an .ivecs or .bin file", null, ".bin keeps distances too.", required: true);

    public static readonly Setting<int> TruthK = Whole("k", "Neighbours per query.", "neighbours", 1, 10_000, 100, "What the public sets have.");

    // ---- measuring ----

    public static readonly Setting<int[]> Ls = List(
        "ls", "Candidate pools to measure.", 1, 65_536, [10, 16, 24, 32, 48, 64, 96, 128, 192, 256], "Each about 4/3 of the last.");

    public static readonly Setting<SearchMode[]> Modes = Choices("modes", "Walks to measure.", ModeWords, [], "", "all that the collection has");

    public static readonly Setting<int[]> Reranks = List(
        "reranks", "Depths of re-ranking to measure; those outside k .. l are left out.", 1, 65_536, [0], "The whole pool is the most exact.", "all",
        0);

    public static readonly Setting<int> Repeat = Whole(
        "repeat", "Passes over the queries; the median counts.", "passes", 1, 1000, 3, "One disturbed pass does no harm.");

    public static readonly Setting<VectorPlace> Vectors = Choice(
        "vectors",
        "Where full vectors are: mapped are read from the file when touched, loaded are in memory (and counted).",
        [("mapped", VectorPlace.Mapped), ("loaded", VectorPlace.Loaded)],
        VectorPlace.Mapped,
        "The graph and the codes are in memory anyway.");

    public static readonly Setting<string?> Html = Text("html", "Write the curves as one self-contained page.", "an .html file", null, "");

    // ---- comparing ----

    public static readonly Setting<string[]> Methods = Words(
        "methods", "Kinds of codes; rpq- and a word: rpq with one part changed; rabitq and rabitq4 are untrained, of 1 and 4 bits per dimension.",
        [.. CompareMethod.All.Select(m => m.Name)],
        ["pq", "opq"], "Those that a collection can be built with.");

    public static readonly Setting<int[]> CodeSizes = List("m", "Bytes per code of each kind, but for untrained ones.", 1, 4096, [8, 16, 32], "dim / 16, / 8, / 4 at dim 128.");

    public static readonly Setting<int[]> CodewordsOf = Choices(
        "k", "Codewords per subspace; at 16 there are twice as many subspaces, for the same bytes.", [("256", 256), ("16", 16)], [256],
        "As build has it.");

    public static readonly Setting<int[]> CompareLs = List(
        "ls", "Candidate pools to measure; 100 is always among them.", 1, 65_536, [10, 16, 24, 32, 48, 64, 100, 150, 225, 350, 500, 800],
        "Each about 3/2 of the last.");

    public static readonly Setting<int> Rounds = Whole(
        "repeat", "Rounds of timed passes, in which the kinds of codes take turns; the median counts.", "rounds", 1, 1000, 3,
        "One disturbed round does no harm.");

    // ---- demo ----

    public static readonly Setting<string?> DemoFolder = Text(
        "folder", "Keep the demo's files here.", "a folder", null, "Without it a temporary folder, removed at the end.");

    public static readonly Setting<int> Count = Whole(
        "count", "Vectors to make.", "vectors", 100, 10_000_000, 100_000, "Well under a minute on two idle cores.");

    public static readonly Setting<int> Dim = Whole("dim", "Components of a vector.", "components", 2, 4096, 128, "As SIFT has.");

    public static readonly Setting<string?> DemoData = Text(
        "data", "Your base vectors in place of made-up ones.", "a file", null, "Without it vectors are made.");

    public static readonly Setting<int> DemoBuildL = Whole(
        "build-l", "Candidate pool while building (L of NSG).", "candidates", 8, 4096, Graph.L, "As build has it.");

    public static readonly Setting<int> DemoL = Whole("l", "Candidate pool of a search.", "candidates", 1, 65_536, L.Fallback, "As search has it.");

    public static readonly Setting<int> DemoShards = Whole(
        "shards", "Parts that the ids are hashed to.", "shards", 1, 64, 4, "Shows that answers of shards merge.");

    // ---- serving ----

    public static readonly Setting<string?> ServedCollection = Text(
        "collection", "Folder of the collection to serve, or its name in the data folder.", "a folder or name", null,
        "Without it every collection of the data folder.");

    public static readonly Setting<string?> Url = Text(
        "url", "Address to listen on; https needs a certificate.", "http://HOST:PORT or https://HOST:PORT", "http://127.0.0.1:7700", "This machine only, until you say otherwise.", "serve.url");

    public static readonly Setting<int> QueueMax = Whole(
        "queue-max", "Vectors that may wait for a search thread; more are answered Busy.", "vectors", 1, 1_000_000, 4096,
        "Waiting longer than a client would is of no use.", "serve.queue_max");

    public static readonly Setting<int> BatchMax = Whole(
        "batch-max", "Most query vectors of a request.", "vectors", 1, 1_000_000, 1024, "One client cannot fill the queue.", "serve.batch_max");

    public static readonly Setting<int> RequestMiBMax = Whole(
        "request-mib-max", "Largest request body.", "MiB", 1, 1024, 32, "1024 vectors of 4096 floats as JSON.", "serve.request_mib_max");

    public static readonly Setting<int> TimeoutMsMax = Whole(
        "timeout-ms-max", "Longest deadline a request may ask for.", "ms", 1, 3_600_000, 60_000, "Proxies give up about then.",
        "serve.timeout_ms_max");

    public static readonly Setting<int> StopSeconds = Whole(
        "stop-seconds", "Time that running requests get when the server stops.", "s", 0, 3600, 10, "Less than the 30 s that Kubernetes waits.",
        "serve.stop_seconds");

    // ---- several silos ----

    public static readonly Setting<RuntimeKind> Runtime = Choice(
        "runtime", "Who holds the shards: embedded, this process alone; redis, all silos that share a Redis and a cluster's name; orleans, the same over Microsoft Orleans.",
        [("embedded", RuntimeKind.Embedded), ("redis", RuntimeKind.Redis), ("orleans", RuntimeKind.Orleans)], RuntimeKind.Embedded, "One machine needs no other.", "runtime");

    /// <summary>Variable of the environment that says where Redis is, with its password.</summary>
    public const string RedisVariable = "SIGNPOST_REDIS";

    public static readonly Setting<string?> ClusterName = Text(
        "cluster", "Name of the cluster; clusters of other names may share the Redis.", "letters, digits, . _ -", "signpost", "", "cluster.name");

    public static readonly Setting<string?> SiloName = Text(
        "silo", "Name of this silo, of which there is one in the cluster.", "letters, digits, . _ -", null,
        "Without it the machine's name and the port: the same after a restart.", "cluster.silo");

    public static readonly Setting<string?> Zone = Text(
        "zone", "What this silo shares its fate with, for example a rack: copies of a shard are spread over zones.", "a word", null, "", "cluster.zone");

    public static readonly Setting<string?> PeerUrl = Text(
        "peer-url", "Address on which other silos ask this one; https needs a certificate.", "http://HOST:PORT or https://HOST:PORT", "http://127.0.0.1:7701", "A port of its own: it speaks HTTP/2 alone.",
        "cluster.peer_url");

    public static readonly Setting<string?> AdvertiseHost = Text(
        "advertise-host", "Name or address under which clients and other silos reach this machine.", "a host name or address", null,
        "Without it that of the urls or, where those are every network, the name of the machine.", "cluster.advertise_host");

    /// <summary>In place of a Redis: the silo is alone.</summary>
    public const string NoRedis = "none";

    public static readonly Setting<string?> Redis = Text(
        "redis", "Where the silos agree: HOST:PORT, and options as StackExchange.Redis has them; none: under orleans, this silo is alone.",
        "HOST:PORT[,option=value...]", "127.0.0.1:6379",
        $"A password belongs into the file or into {RedisVariable}: all users see the command line.", "cluster.redis", variable: RedisVariable);

    public static readonly Setting<int> Replicas = Whole(
        "replicas", "Copies of every shard, each in a silo of its own.", "copies", 1, 16, 2, "One silo may die.", "cluster.replicas");

    public static readonly Setting<int> LeaseMs = Whole(
        "lease-ms", "How long a silo that says nothing is taken for alive.", "ms", 500, 60_000, 3000,
        "Longer than a garbage collection, shorter than a user's patience.", "cluster.lease_ms");

    public static readonly Setting<int> GraceSeconds = Whole(
        "grace-seconds", "How long a silo that is gone is awaited before its shards are opened elsewhere.", "s", 0, 86_400, 15,
        "A restart is back by then.", "cluster.grace_seconds");

    public static readonly Setting<int> MovesMax = Whole(
        "moves-max", "Copies that may be on their way to a silo before another move to it begins; missing copies do not wait.", "copies", 1, 1024, 2,
        "One is fetched, the next one is ready.", "cluster.moves_max");

    public static readonly Setting<int> MoveMiBPerSecond = Whole(
        "move-mib-per-second", "Most that a silo fetches for moves; missing copies are fetched as fast as can be; 0: no limit.", "MiB/s", 0, 1 << 20, 0,
        "A silo knows its network best.", "cluster.move_mib_per_second");

    public static readonly Setting<int> MemoryMiB = Whole(
        "memory-mib", "Memory that the shards of this silo may take.", "MiB", 16, 1 << 24, DefaultMemoryMiB, "Three quarters of what this process may use.",
        "cluster.memory_mib", "auto");

    public static readonly Setting<RuntimeKind> SilosRuntime = Choice(
        "runtime", "How the silos ask each other: redis, over HTTP/2; orleans, by Microsoft Orleans.",
        [("redis", RuntimeKind.Redis), ("orleans", RuntimeKind.Orleans)], RuntimeKind.Redis, "Every build has it.");

    public static readonly Setting<int> Silos = Whole("silos", "Silos to start.", "silos", 1, 64, 3, "Two copies of each shard, and one silo may die.");

    public static readonly Setting<int> FirstPort = Whole(
        "port", "Port of the first silo; the others have the next ones.", "", 1, 65_000, 7700, "The port of serve.");

    public static readonly Setting<int> SiloThreads = Whole(
        "threads", "Search threads of each silo.", "threads", 1, 1024, Environment.ProcessorCount, "Any of them can use the whole machine.", null, "all");

    public static readonly Setting<string?> OptionalRedis = Text(
        "redis", "A Redis that runs.", "HOST:PORT[,option=value...]", null, "Without it one is started, in memory, and ended with the cluster.",
        variable: RedisVariable);

    public static readonly Setting<string?> AskedUrl = Text(
        "url", "Address of any silo.", "http://HOST:PORT or https://HOST:PORT", Url.Fallback, "The address of serve.");

    public static readonly Setting<bool> CancelDrain = Flag("cancel", "Take the wish back: what has not moved yet stays.");

    public static readonly Setting<bool> ForceDrain = Flag(
        "force", "Drain though fewer copies than wanted are left then; the last copy of a shard stays.");

    public static readonly Setting<bool> DryRun = Flag("dry-run", "Show what would move, and change nothing.");

    public static readonly Setting<bool> WatchDrain = Flag("watch", "Wish it again where the silo was started anew, or took the wish back, before it was drained.");

    public static readonly Setting<int> TolerancePercent = Whole(
        "tolerance", "How far the load of a silo may be from its fair share.", "percent", 1, 100, 2, "The leader by itself moves nothing within 10.");

    public static readonly Setting<bool> WatchMoves = Flag("watch", "Show the moves as they go, until all are done.");

    public static readonly Setting<bool> Watch = Flag("watch", "Show it again every second, until Ctrl-C.");

    // ---- what a process tells of itself ----

    public static readonly Setting<string?> Otlp = Text(
        "otlp", "Collector that metrics and traces are sent to, by OTLP over HTTP.", "http://HOST:PORT or https://HOST:PORT", null,
        "Without it they are sent nowhere; GET /metrics is there in any case.", "telemetry.otlp");

    public static readonly Setting<int> OtlpSeconds = Whole(
        "otlp-seconds", "Pause between two times that metrics are sent.", "s", 1, 3600, 15, "As often as Prometheus asks.", "telemetry.otlp_seconds");

    public static readonly Setting<double> TraceRatio = Fraction(
        "trace-ratio", "Share of the searches that are traced, beside those whose callers trace them.", 0.01, "Enough to see, too few to cost.",
        "telemetry.trace_ratio");

    public static readonly Setting<int> SlowQueryMs = Whole(
        "slow-query-ms", "A vector that takes longer is a line on stderr; 0: none is.", "ms", 0, 3_600_000, 1000, "A person notices a second.",
        "telemetry.slow_query_ms");

    public static readonly Setting<LogFormat> SlowQueryFormat = Choice(
        "slow-query-format", "Form of such a line.", [("text", LogFormat.Text), ("json", LogFormat.Json)], LogFormat.Text, "People read it first.",
        "telemetry.slow_query_format");

    // ---- where collections are ----

    public static readonly Setting<string?> Store = Text(
        "store", "Where collections are: a folder that all silos see, or s3://BUCKET/PREFIX.", "a folder or s3://BUCKET/PREFIX", null,
        "Without it the data folder.", "store.url");

    public static readonly Setting<string?> Cache = Text(
        "cache", "Folder for this silo's copies of the files that it has open.", "a folder", null,
        "Without it files are opened where they are; an s3 store needs one.", "store.cache");

    public static readonly Setting<int> CacheMiB = Whole(
        "cache-mib", "Most that the cache may take; files that are not needed go first.", "MiB", 16, 1 << 30, 102_400, "A hundred GiB.", "store.cache_mib");

    public static readonly Setting<int> ShardVectorsMax = Whole(
        "shard-vectors-max", "Most vectors of a shard of a cluster: larger ones are split, and neighbours below a third together merged.", "vectors", 1, int.MaxValue, 0,
        "Shards are cut by hand.", "store.shard_vectors_max", "off");

    public static readonly Setting<int> ShardMiBMax = Whole(
        "shard-mib-max", "Most that a shard of a cluster may take, as shard-vectors-max.", "MiB", 1, 1 << 30, 0, "Shards are cut by hand.",
        "store.shard_mib_max", "off");

    public static readonly Setting<string?> S3Endpoint = Text(
        "s3-endpoint", "Server of an s3 store.", "http://HOST:PORT", null, "Without it that of AWS for the region.", "store.s3_endpoint");

    public static readonly Setting<string?> S3Region = Text(
        "s3-region", "Region that requests to an s3 store are signed for.", "a region", "us-east-1", "What servers of one's own expect.", "store.s3_region");

    public static readonly Setting<string?> S3Credentials = Text(
        "s3-credentials", "Keys of an s3 store: the [default] profile of a file as AWS's tools write it.", "a file", null,
        "Without it what the environment gives: AWS_ACCESS_KEY_ID and its kin.", "store.s3_credentials");

    /// <summary>The settings that <c>cluster.yaml</c> may give.</summary>
    public static readonly Setting[] InFile =
        [DataFolder, Threads, K, L, Mode, Rerank, TimeoutMs, Url, QueueMax, BatchMax, RequestMiBMax, TimeoutMsMax, StopSeconds,
            MovesMax, MoveMiBPerSecond,
            Runtime, ClusterName, SiloName, Zone, PeerUrl, AdvertiseHost, Redis, Replicas, LeaseMs, GraceSeconds, MemoryMiB, Store, Cache, CacheMiB,
            ShardVectorsMax, ShardMiBMax, S3Endpoint, S3Region, S3Credentials,
            .. SecuritySettings.InFile, Otlp, OtlpSeconds, TraceRatio, SlowQueryMs, SlowQueryFormat];

    /// <summary>The word of a mode.</summary>
    public static string Word(this SearchMode mode) => ModeWords.First(m => m.Value == mode).Word;

    extension(SearchParameters parameters)
    {
        /// <summary>Pool entries that get an exact distance; null for a walk that does not re-rank.</summary>
        public int? Depth => parameters.Mode != SearchMode.CodesRerank ? null : parameters.Rerank == 0 ? parameters.L : parameters.Rerank;
    }

    /// <summary>The word of a runtime.</summary>
    public static string Word(this RuntimeKind runtime) => runtime.ToString().ToLowerInvariant();

    /// <summary>The word of a metric.</summary>
    public static string Word(this Metric metric) => MetricWords.First(m => m.Value == metric).Word;

    /// <summary>The word of an element type.</summary>
    public static string Word(this ElementType type) => type.ToString().ToLowerInvariant();
}

/// <summary>Codes that a collection can be built with.</summary>
internal enum CodeKind
{
    None,
    Pq,
    Opq,
}

/// <summary>A <see cref="SearchMode"/>, or the best that the collection has.</summary>
internal enum ModeChoice
{
    Auto,
    Exact,
    Codes,
    CodesRerank,
}

/// <summary>Where full vectors are.</summary>
internal enum VectorPlace
{
    Mapped,
    Loaded,
}

/// <summary>What the settings of an RPQ training begin with.</summary>
internal enum RpqProfile
{
    /// <summary><see cref="RpqOptions.Best"/>.</summary>
    Best,

    /// <summary><see cref="RpqOptions.Faithful"/>.</summary>
    Faithful,
}

/// <summary>What puts shards into silos and carries calls between them.</summary>
internal enum RuntimeKind
{
    /// <summary>This process holds all.</summary>
    Embedded,

    /// <summary>Silos that agree through Redis and ask each other over HTTP/2.</summary>
    Redis,

    /// <summary>Silos that agree through Redis and ask each other by Orleans grains; in builds that have it.</summary>
    Orleans,
}

/// <summary>Form of a line of the log.</summary>
internal enum LogFormat
{
    Text,
    Json,
}
