using System.Text.Json;
using System.Xml;
using System.Xml.Linq;
using Signpost.Engine.Quantizers;
using Signpost.Engine.Vectors;
using Signpost.Silo.Compare;
using Signpost.Silo.Tests.Support;

namespace Signpost.Silo.Tests;

[Collection(UsesDemoCollection.Name)]
public sealed class CompareTests(DemoCollection demo) : IDisposable
{
    private const string Svg = "http://www.w3.org/2000/svg";

    /// <summary>A training of RPQ that ends before a test does.</summary>
    private static readonly string[] Short = ["--steps", "20", "--training-queries", "200"];

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_method_has_a_row_for_each_size_and_search_at_equal_bytes_and_the_collection_stays_as_it_was()
    {
        Dictionary<string, byte[]> before = FilesOfCollection();
        JsonElement[] rows = Rows(
            ["--methods", "pq,opq,rpq,rabitq,rabitq4", "--m", "2,4", "--k", "256,16", "--ls", "10,40", "--html", "page.html", .. Short]);

        Assert.Equal(before, FilesOfCollection());
        string[] sized =
        [
            .. from size in new[] { "2 256 2", "4 256 4", "4 16 2", "8 16 4" }
               from method in new[] { "pq", "opq", "rpq" }
               from search in new[] { "codes", "rerank" }
               select $"{method} {size} {search}",
        ];
        Assert.Equal(
            ["exact   64 exact", .. sized, "rabitq   10 codes", "rabitq   10 rerank", "rabitq4   16 codes", "rabitq4   16 rerank"],
            rows.Select(r => $"{Text(r, "quantizer")} {Text(r, "m")} {Text(r, "k")} {Text(r, "code_bytes")} {Text(r, "search")}"));
        Assert.All(rows, AssertComplete);
        AssertPage([.. rows.Select(r => Text(r, "quantizer")).Distinct()]);
    }

    [Fact]
    public void What_is_not_reached_is_null_and_what_is_lies_between_the_pools_beside_it()
    {
        JsonElement[] rows = Rows("--methods", "pq", "--m", "1", "--ls", "10,20,40,1000");
        JsonElement codes = rows.Single(r => Text(r, "search") == "codes");
        Assert.InRange(codes.GetProperty("max_recall_at_10").GetDouble(), 0.01, 0.9);
        foreach (string name in new[] { "l_at_95", "qps_at_95", "hops_at_95", "distance_computations_at_95" })
        {
            Assert.Equal(JsonValueKind.Null, codes.GetProperty(name).ValueKind);
        }

        JsonElement rerank = rows.Single(r => Text(r, "search") == "rerank");
        JsonElement[] points = [.. rerank.GetProperty("points").EnumerateArray()];
        Assert.Equal([10, 20, 40, 100, 1000], points.Select(p => p.GetProperty("l").GetInt32()));
        int after = Array.FindIndex(points, p => p.GetProperty("recall_at_10").GetDouble() >= 0.95);
        Assert.True(after > 0, "the pool of 10 is too small for codes of one byte, and half of all vectors are enough");
        foreach (string name in new[] { "l", "hops", "distance_computations", "qps" })
        {
            double[] beside = [.. points[(after - 1)..(after + 1)].Select(p => p.GetProperty(name).GetDouble()).Order()];
            Assert.InRange(rerank.GetProperty($"{name}_at_95").GetDouble(), beside[0] - 1e-9, beside[1] + 1e-9);
        }

        Assert.Equal(points[3].GetProperty("recall_at_10").GetDouble(), rerank.GetProperty("recall_at_10_l100").GetDouble());
    }

    [Fact]
    public void The_seed_decides_recall_and_next_hop_agreement()
    {
        string[] all = ["--methods", "pq,rpq,rabitq", "--m", "2", .. Short];
        string first = Recalls([.. all, "--seed", "7", "--threads", "1"]);
        Assert.Equal(first, Recalls([.. all, "--seed", "7", "--threads", "2"]));
        Assert.NotEqual(first, Recalls([.. all, "--seed", "8", "--threads", "1"]));
    }

    [Fact]
    public void Rpq_is_held_against_pq_and_opq_and_tells_how_its_training_went()
    {
        JsonElement report = Report(["--methods", "pq,opq,rpq,rpq-nolearning", "--m", "4", "--ls", "10", .. Short]);
        JsonElement[] rows = [.. report.GetProperty("rows").EnumerateArray()];
        Assert.Equal(
            ["pq - codes", "opq - codes", "rpq 20 codes", "rpq-nolearning 0 codes"],
            rows.Where(r => Text(r, "search") == "codes").Select(r => $"{Text(r, "quantizer")} {StepsOf(r)} codes"));
        Assert.Equal(
            ["rpq codes", "rpq rerank", "rpq-nolearning codes", "rpq-nolearning rerank"],
            report.GetProperty("ratios").EnumerateArray().Select(ratio => $"{Text(ratio, "quantizer")} {Text(ratio, "search")}"));

        static string StepsOf(JsonElement row) =>
            row.GetProperty("rpq").ValueKind == JsonValueKind.Null ? "-" : Text(row.GetProperty("rpq"), "steps");
    }

    [Fact]
    public void Longer_codes_prefer_the_true_next_hop_more_often()
    {
        double[] shares = [.. Rows("--methods", "pq", "--m", "2,4,16", "--ls", "10").Where(r => Text(r, "search") == "codes")
            .Select(r => r.GetProperty("next_hop_agreement").GetDouble())];
        Assert.Equal(shares.Order(), shares);
        Assert.True(shares[2] > shares[0] + 0.2, string.Join(' ', shares));
    }

    [Fact]
    public void Every_part_of_rpq_is_changed_within_its_range()
    {
        var size = new QuantizerOptions { M = 2, K = 16 };
        CompareMethod[] learned = [.. CompareMethod.All.Where(method => method.Rpq is not null)];
        Assert.NotEmpty(learned);
        Assert.All(learned, method => Assert.Empty(method.Validate(size, DemoCollection.Dim, Metric.L2)));
    }

    [Fact]
    public void Codes_made_in_memory_are_searched_as_those_of_the_build_are()
    {
        Succeed("build", "--data", demo.Base, "--out", "one", "--quantizer", "pq", "--m", "4", "--seed", "5", "--quiet");
        JsonElement eval = Json(
            "eval", "--collection", "one", "--queries", demo.Queries, "--data", demo.Base, "--ls", "10,100", "--repeat", "1", "--json");
        JsonElement compare = Json(
            "compare", "--collection", "one", "--queries", demo.Queries, "--data", demo.Base, "--methods", "pq", "--m", "4", "--seed", "5", "--ls",
            "10,100", "--repeat", "1", "--json");
        Assert.Equal(
            eval.GetProperty("points").EnumerateArray().Select(Found),
            compare.GetProperty("rows").EnumerateArray().SelectMany(r => r.GetProperty("points").EnumerateArray()).Select(Found));
    }

    [Theory]
    [InlineData("--methods", "pq,lsq", "--methods: got 'pq,lsq', expected pq | opq | rpq | ")]
    [InlineData("--m", "4,17", "1 .. 16")]
    [InlineData("--k", "32", "--k: got '32', expected 256 | 16 between commas")]
    [InlineData("--html", "no/page.html", "--html: got 'no/page.html' in a folder that does not exist")]
    public void What_cannot_be_compared_is_refused_before_the_work_begins(string option, string value, string message)
    {
        Run run = SignpostProcess.Run(
            _folder, "compare", "--collection", demo.Collection, "--queries", demo.Queries, "--data", demo.Base, option, value);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(message, run.Error);
        Assert.Equal("", run.Output);
    }

    [Fact]
    public void Rpq_is_refused_where_distances_are_inner_products()
    {
        Succeed("build", "--data", demo.Base, "--out", "inner", "--metric", "ip", "--quantizer", "none", "--quiet");
        Run run = SignpostProcess.Run(
            _folder, "compare", "--collection", "inner", "--queries", demo.Queries, "--data", demo.Base, "--methods", "pq,rpq", "--m", "2");
        Assert.Equal((2, ""), (run.ExitCode, run.Output));
        Assert.Contains("NotSupported", run.Error);
    }

    [Fact]
    public void The_table_on_the_terminal_has_every_row()
    {
        string output = Succeed(
            "compare", "--collection", demo.Collection, "--queries", demo.Queries, "--data", demo.Base, "--methods", "pq", "--m", "4", "--ls", "10",
            "--repeat", "1", "--quiet");
        Assert.Contains("recall@10 L=100", output);
        Assert.Equal(3, output.Split('\n').Count(line => line.Contains("│ pq ") || line.Contains("│ exact ")));
    }

    private static string Found(JsonElement point) => string.Join(
        ' ', new[] { "l", "recall_at_10", "hops", "distance_computations" }.Select(name => point.GetProperty(name).GetRawText()));

    private static string Text(JsonElement row, string name) => row.GetProperty(name).ToString();

    private static void AssertComplete(JsonElement row)
    {
        bool isExact = Text(row, "quantizer") == "exact";
        foreach (string name in new[] { "recall_at_10_l100", "max_recall_at_10", "resident_bytes_per_vector" })
        {
            Assert.True(row.GetProperty(name).GetDouble() > 0, name);
        }

        foreach (string name in new[] { "train_seconds", "train_cpu_seconds", "encode_seconds" })
        {
            Assert.Equal(isExact, row.GetProperty(name).ValueKind == JsonValueKind.Null);
        }

        Assert.Equal(row.GetProperty("m").ValueKind, row.GetProperty("mse").ValueKind);
        Assert.Equal(row.GetProperty("m").ValueKind, row.GetProperty("next_hop_agreement").ValueKind);
        double graph = (32 * 3) + 8;
        Assert.Equal(graph + (isExact ? 0 : row.GetProperty("code_bytes").GetInt32()), row.GetProperty("resident_bytes_per_vector").GetDouble(), 0.01);
    }

    private void AssertPage(string[] methods)
    {
        using XmlReader reader = XmlReader.Create(_folder.At("page.html"), new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore });
        XElement[] charts = [.. XDocument.Load(reader).Descendants(XName.Get("svg", Svg))];
        Assert.Equal(4, charts.Length);
        foreach (XElement chart in charts)
        {
            string[] curves = [.. chart.Descendants().Attributes("data-curve").Select(a => a.Value)];
            Assert.Equal(1 + (3 * 4) + 2, curves.Distinct().Count());
            Assert.Equal(methods, curves.Select(curve => curve.Split(' ')[0]).Distinct());
        }
    }

    private Dictionary<string, byte[]> FilesOfCollection() => Directory.GetFiles(demo.Collection).ToDictionary(file => file, File.ReadAllBytes);

    private string Recalls(string[] args) => string.Join('\n', Rows([.. args, "--ls", "20"]).SelectMany(
        r => r.GetProperty("points").EnumerateArray().Select(Found).Append(Text(r, "next_hop_agreement"))));

    private JsonElement[] Rows(params string[] args) => [.. Report(args).GetProperty("rows").EnumerateArray()];

    private JsonElement Report(string[] args) => Json([
        "compare", "--collection", demo.Collection, "--queries", demo.Queries, "--data", demo.Base, "--repeat", "1", "--json", .. args,
    ]);

    private string Succeed(params string[] args)
    {
        Run run = SignpostProcess.Run(_folder, args);
        Assert.True(run.ExitCode == 0, $"{string.Join(' ', args)} ended with {run.ExitCode}: {run.Error}");
        return run.Output;
    }

    private JsonElement Json(params string[] args) => JsonDocument.Parse(Succeed(args)).RootElement;
}
