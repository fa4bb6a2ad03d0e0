using System.Text.Json;
using System.Xml;
using System.Xml.Linq;
using Signpost.Engine.Build;
using Signpost.Silo.Tests.Support;

namespace Signpost.Silo.Tests;

[Collection(UsesDemoCollection.Name)]
public sealed class RoundTripTests(DemoCollection demo) : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Exact_build_search_eval_and_inspect_work_on_each_others_files()
    {
        Succeed("exact", "--data", demo.Base, "--queries", demo.Queries, "--k", "20", "--out", "truth.ivecs", "--quiet");
        JsonElement built = Json("build", "--data", demo.Base, "--out", "mine", "--quantizer", "opq", "--m", "4", "--k", "16", "--r", "16", "--json");
        Assert.Equal("mine", built.GetProperty("name").GetString());
        Assert.Equal(DemoCollection.Count, built.GetProperty("vectors").GetInt64());

        JsonElement eval = Json(
            "eval", "--collection", "mine", "--queries", demo.Queries, "--truth", "truth.ivecs", "--ls", "10,40", "--reranks", "all,10", "--repeat",
            "1",
            "--threads", "2", "--vectors", "loaded", "--html", "curves.html", "--json");
        AssertBuild(eval.GetProperty("build"));
        JsonElement[] points = [.. eval.GetProperty("points").EnumerateArray()];
        Assert.Equal(
            ["exact 10", "exact 40", "codes 10", "codes 40", "codes+rerank 10", "codes+rerank 40", "codes+rerank 40"],
            points.Select(p => $"{p.GetProperty("search").GetString()} {p.GetProperty("l").GetInt32()}"));
        Assert.All(points, AssertComplete);
        Assert.True(Recall(points[0]) < Recall(points[1]), "a larger pool finds more");
        Assert.True(Recall(points[3]) < Recall(points[5]), "re-ranking finds more than codes alone");
        Assert.Equal((16 * 3) + 8 + (16 * 4), points[0].GetProperty("resident_bytes_per_vector").GetDouble(), 0.01);
        Assert.Equal((16 * 3) + 8 + 2, points[2].GetProperty("resident_bytes_per_vector").GetDouble(), 0.01);
        AssertPage(_folder.At("curves.html"), ["exact", "codes", "codes+rerank", "codes+rerank 10"]);

        JsonElement inspected = Json("inspect", "mine", "--json");
        JsonElement segment = inspected.GetProperty("segments")[0];
        Assert.Equal(DemoCollection.Count, segment.GetProperty("graph").GetProperty("reachable_from_entry").GetInt64());
        Assert.All(segment.GetProperty("sections").EnumerateArray(), s => Assert.Equal("ok", s.GetProperty("state").GetString()));
    }

    [Fact]
    public void A_search_with_a_wide_pool_finds_the_exact_neighbours()
    {
        Succeed("exact", "--data", demo.Base, "--queries", demo.Queries, "--k", "5", "--out", "truth.ivecs", "--quiet");
        Succeed("search", "--collection", demo.Collection, "--queries", demo.Queries, "--k", "5", "--l", "1000", "--out", "found.ivecs", "--quiet");
        Assert.Equal(File.ReadAllBytes(_folder.At("truth.ivecs")), File.ReadAllBytes(_folder.At("found.ivecs")));
    }

    [Fact]
    public void A_search_prints_hits_in_order_with_what_it_did()
    {
        string query = string.Join(',', demo.QueryVectors(1)[0].Select(v => v.ToString("R", System.Globalization.CultureInfo.InvariantCulture)));
        JsonElement report = Json("search", "--collection", demo.Collection, "--query", query, "--k", "7", "--json");
        JsonElement item = Assert.Single(report.GetProperty("results").EnumerateArray());
        float[] distances = [.. item.GetProperty("distances").EnumerateArray().Select(d => d.GetSingle())];
        Assert.Equal(7, distances.Length);
        Assert.Equal(distances.Order(), distances);
        Assert.Equal(2, item.GetProperty("shards_answered").GetInt32());
        Assert.True(item.GetProperty("hops").GetInt64() > 0);
        Assert.True(item.GetProperty("distance_computations").GetInt64() > item.GetProperty("hops").GetInt64());
    }

    [Fact]
    public void The_command_line_wins_over_the_settings_file_and_that_over_the_default()
    {
        File.WriteAllText(_folder.At("other.yaml"), "search:\n  l: 33\n  mode: exact\n");
        string[] search = ["search", "--collection", demo.Collection, "--queries", demo.Queries, "--config", "other.yaml", "--json"];
        JsonElement fromFile = Json(search);
        Assert.Equal((33, "exact", 10), (fromFile.GetProperty("l").GetInt32(), fromFile.GetProperty("mode").GetString(), fromFile.GetProperty("k").GetInt32()));
        JsonElement fromLine = Json([.. search, "--l", "44"]);
        Assert.Equal((44, "exact"), (fromLine.GetProperty("l").GetInt32(), fromLine.GetProperty("mode").GetString()));
    }

    [Theory]
    [InlineData("1,2,3", "WrongDimension")]
    [InlineData("1,2,x", "InvalidArgument")]
    public void A_query_that_does_not_fit_is_refused(string query, string code)
    {
        Run run = SignpostProcess.Run(_folder, "search", "--collection", demo.Collection, "--query", query);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(code, run.Error);
    }

    [Fact]
    public void Vector_files_are_described()
    {
        JsonElement file = Json("inspect", demo.Base, "--json");
        Assert.Equal("vectors", file.GetProperty("kind").GetString());
        Assert.Equal(DemoCollection.Count, file.GetProperty("vectors").GetInt64());
        Assert.Equal(DemoCollection.Dim, file.GetProperty("dim").GetInt32());
    }

    [Fact]
    public void A_finished_collection_is_not_replaced_unasked()
    {
        Run run = SignpostProcess.Run(_folder, "build", "--data", demo.Base, "--out", demo.Collection);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("AlreadyExists", run.Error);
    }

    [Fact]
    public void A_flipped_byte_in_a_segment_is_found_and_ends_with_code_3()
    {
        foreach (string file in Directory.GetFiles(demo.Collection))
        {
            File.Copy(file, _folder.At(Path.GetFileName(file)));
        }

        string segment = Directory.GetFiles(_folder, "*.segment").Order().First();
        byte[] bytes = File.ReadAllBytes(segment);
        bytes[^100] ^= 4; // in the vectors, the last section
        File.WriteAllBytes(segment, bytes);

        Run inspected = SignpostProcess.Run(_folder, "inspect", segment, "--json");
        Assert.Equal(3, inspected.ExitCode);
        string[] states = [.. JsonDocument.Parse(inspected.Output).RootElement.GetProperty("sections").EnumerateArray().Select(s => s.GetProperty("state").GetString()!)];
        Assert.All(states[..^1], state => Assert.Equal("ok", state));
        Assert.StartsWith("damaged", states[^1]);

        Run eval = SignpostProcess.Run(_folder, "eval", "--collection", ".", "--queries", demo.Queries, "--data", demo.Base);
        Assert.Equal(3, eval.ExitCode);
        Assert.Contains(segment.Split('/')[^1], eval.Error);
    }

    private static void AssertBuild(JsonElement build)
    {
        Assert.Equal(
            (DemoCollection.Count, DemoCollection.Dim, "float32", "l2", 1),
            (build.GetProperty("vectors").GetInt32(), build.GetProperty("dim").GetInt32(), build.GetProperty("element_type").GetString(),
                build.GetProperty("metric").GetString(), build.GetProperty("shards").GetInt32()));
        Assert.Equal(
            (16, new GraphOptions().L, new GraphOptions().C, (int)new GraphOptions().Seed, "opq", 4),
            (build.GetProperty("r").GetInt32(), build.GetProperty("l").GetInt32(), build.GetProperty("c").GetInt32(),
                build.GetProperty("seed").GetInt32(), build.GetProperty("quantizer").GetString(), build.GetProperty("m").GetInt32()));
        Assert.True(build.GetProperty("build_seconds").GetDouble() > 0);
        Assert.True(build.GetProperty("build_cpu_seconds").GetDouble() > 0);
    }

    private static double Recall(JsonElement point) => point.GetProperty("recall_at_10").GetDouble();

    private static void AssertComplete(JsonElement point)
    {
        Assert.Equal("opq", point.GetProperty("quantizer").GetString());
        Assert.Equal(4, point.GetProperty("m").GetInt32());
        Assert.Equal(10, point.GetProperty("k").GetInt32());
        foreach (string name in new[] { "recall_at_10", "qps_1", "qps_cpu", "qps_all", "p50_us", "p99_us", "hops", "distance_computations", "resident_bytes_per_vector" })
        {
            Assert.True(point.GetProperty(name).GetDouble() > 0, name);
        }
    }

    private static void AssertPage(string path, string[] curves)
    {
        using XmlReader reader = XmlReader.Create(path, new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore });
        XDocument page = XDocument.Load(reader);
        foreach (XElement svg in page.Descendants(XName.Get("svg", "http://www.w3.org/2000/svg")))
        {
            Assert.Equal(curves, svg.Descendants().Attributes("data-curve").Select(a => a.Value));
        }

        Assert.Equal(2, page.Descendants(XName.Get("svg", "http://www.w3.org/2000/svg")).Count());
        Assert.DoesNotContain(page.Descendants().Attributes(), a => a.Name.LocalName is "src" or "href");
    }

    private string Succeed(params string[] args)
    {
        Run run = SignpostProcess.Run(_folder, args);
        Assert.True(run.ExitCode == 0, $"{string.Join(' ', args)} ended with {run.ExitCode}: {run.Error}");
        return run.Output;
    }

    private JsonElement Json(params string[] args) => JsonDocument.Parse(Succeed(args)).RootElement;
}
