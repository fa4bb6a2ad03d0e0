using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.Playwright;
using Signpost.Silo.Tests.Support;

namespace Signpost.Silo.Tests.Dashboard;

[Collection(UsesDemoCollection.Name)]
public sealed class DashboardTests(ServerProcess server) : IClassFixture<ServerProcess>
{
    [Fact]
    public async Task The_page_is_part_of_the_program_and_may_load_nothing_of_others()
    {
        using var http = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = server.Http.BaseAddress };
        foreach (string path in (string[])["/", "/dashboard"])
        {
            using HttpResponseMessage led = await http.GetAsync(path);
            Assert.Equal((HttpStatusCode.Redirect, "/dashboard/"), (led.StatusCode, led.Headers.Location!.OriginalString));
        }

        string page = await http.GetStringAsync("/dashboard/");
        string[] files = ["dashboard.css", "main.js", "map.js", "curves.js", "console.js", "format.js", "trainings.js"];
        foreach (string file in files)
        {
            using HttpResponseMessage answer = await http.GetAsync($"/dashboard/{file}");
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            string policy = Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));
            Assert.StartsWith("default-src 'none';", policy, StringComparison.Ordinal);
            Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
            Assert.DoesNotContain("http", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);

            using var again = new HttpRequestMessage(HttpMethod.Get, $"/dashboard/{file}") { Headers = { IfNoneMatch = { answer.Headers.ETag! } } };
            using HttpResponseMessage same = await http.SendAsync(again);
            Assert.Equal(HttpStatusCode.NotModified, same.StatusCode);
        }

        Assert.Contains("<title>Signpost</title>", page, StringComparison.Ordinal);
        foreach (string path in (string[])["nothing.js", "..%2fsignpost.dll", "%2e%2e/manifest.json"])
        {
            using HttpResponseMessage refused = await http.GetAsync($"/dashboard/{path}");
            Assert.Equal(HttpStatusCode.NotFound, refused.StatusCode);
        }
    }

    [ChromiumFact]
    public async Task A_browser_shows_silos_and_shards_and_searches_with_an_explanation()
    {
        await using Browser browser = await Browser.StartAsync();
        IPage page = browser.Page;

        await browser.OpenAsync(server.Url);
        Assert.Equal("2, 0", await TileAsync(page, "shards, and without a copy"));
        Assert.Contains("serves: 2", await page.TextContentAsync("#legend"), StringComparison.Ordinal);
        Assert.True(await ColoursAsync(page) > 3);
        Assert.Equal("demo", await page.TextContentAsync("#collections tbody tr td"));

        await page.HoverAsync("#map", new PageHoverOptions { Position = new Position { X = 20, Y = 50 } });
        Assert.Contains("demo/0 in local: serving", await page.TextContentAsync("#tip"), StringComparison.Ordinal);

        await page.ClickAsync("#ask-random");
        await page.ClickAsync("#ask button:not([type=button])");
        await page.WaitForFunctionAsync("() => document.querySelectorAll('#hits tbody tr').length === 10");
        Assert.Contains("10 hits in", await page.TextContentAsync("#answer-line"), StringComparison.Ordinal);
        await browser.KeepAsync("dashboard");

        await page.FillAsync("#ask-vector", "1, 2");
        await page.ClickAsync("#ask button:not([type=button])");
        await page.WaitForFunctionAsync("() => document.getElementById('hits').hidden");
        Assert.Contains("16", await page.TextContentAsync("#answer-line"), StringComparison.Ordinal); // components are wanted

        Assert.DoesNotContain(browser.Faults, fault => !fault.Contains("status of 400", StringComparison.Ordinal));
    }

    [ChromiumFact]
    public async Task A_hundred_silos_with_ten_thousand_shards_are_drawn_cell_by_cell()
    {
        await using SyntheticCluster cluster = await SyntheticCluster.StartAsync(100, 10_000);
        await using Browser browser = await Browser.StartAsync(ColorScheme.Dark);
        IPage page = browser.Page;

        await browser.OpenAsync(cluster.Url);

        string legend = (await page.TextContentAsync("#legend"))!;
        Assert.Matches(@"serves: 19\.\d k", legend);
        Assert.Matches(@"is being opened: 20\d", legend);
        Assert.Matches(@"cannot serve: 11\d", legend);
        Assert.Equal("99 of 100", await TileAsync(page, "silos"));
        Assert.Equal(100, await page.Locator("#silos tbody tr").CountAsync());
        Assert.True(await ColoursAsync(page) > 5);
        JsonElement paint = await page.EvaluateAsync<JsonElement>(
            """
            () => ({ first: performance.getEntriesByName('first-contentful-paint')[0]?.startTime, map: performance.getEntriesByName('map')[0]?.startTime })
            """);
        Assert.True(paint.GetProperty("first").GetDouble() > 0 && paint.GetProperty("map").GetDouble() > 0);
        Console.WriteLine($"first contentful paint {paint.GetProperty("first").GetDouble():0} ms, map of 20,000 copies {paint.GetProperty("map").GetDouble():0} ms");
        await browser.KeepAsync("dashboard-large");

        await page.SelectOptionAsync("#map-colour", "load");
        Assert.Contains("silo at rest", await page.TextContentAsync("#legend"), StringComparison.Ordinal);
        Assert.Empty(browser.Faults);
    }

    [ChromiumFact]
    public async Task Trainings_are_told_with_the_curves_of_their_learning()
    {
        await using SyntheticCluster cluster = await SyntheticCluster.StartAsync(3, 12);
        await using Browser browser = await Browser.StartAsync();
        IPage page = browser.Page;

        await browser.OpenAsync(cluster.Url);
        Assert.True(await page.IsVisibleAsync("#no-trainings"));
        Assert.False(await page.IsVisibleAsync("#learning"));

        cluster.Trainings =
        [
            SyntheticCluster.Training("documents", "running", SyntheticCluster.Learning(40)),
            SyntheticCluster.Training("images", "failed", []) with { Method = "opq", Reason = "NotEnoughMemory: need 9 GiB, have 4 GiB <b>" },
        ];
        await page.WaitForFunctionAsync("() => document.querySelectorAll('#trainings tbody tr').length === 2");
        string[] cells = [.. await page.Locator("#trainings tbody tr").First.Locator("td").AllTextContentsAsync()];
        Assert.Equal(["documents", "4", "running", "rpq", "5", "silo-1", "learning: learn RPQ 50 %", "60.0 % → 67.8 %", "–", "83 s", "1", ""], cells);
        Assert.Contains("need 9 GiB, have 4 GiB <b>", await page.Locator("#trainings tbody tr").Nth(1).TextContentAsync(), StringComparison.Ordinal);
        Assert.Equal("training 4 of documents", await page.TextContentAsync("#learning-of"));
        Assert.Equal("loss 0.60", await page.GetAttributeAsync("#curve-loss", "aria-label"));
        Assert.Equal("held-out recall@10 67.8 %", await page.GetAttributeAsync("#curve-recall", "aria-label"));
        Assert.True(await ColoursAsync(page, "curve-loss") > 2 && await ColoursAsync(page, "curve-recall") > 2);

        cluster.Trainings = [SyntheticCluster.Training("images", "done", SyntheticCluster.Learning(10)), .. cluster.Trainings[..1]];
        await page.WaitForFunctionAsync("() => document.querySelector('#trainings tbody td').textContent === 'images'");
        await page.ClickAsync("#trainings tbody tr:first-child");
        Assert.Equal("training 4 of images", await page.TextContentAsync("#learning-of"));
        Assert.Empty(browser.Faults);
    }

    [ChromiumFact]
    public async Task A_training_of_a_server_that_is_alone_is_followed_to_its_end()
    {
        using var own = new DemoCollection(); // others keep their codes
        using var alone = new ServerProcess(own);
        await using Browser browser = await Browser.StartAsync();
        IPage page = browser.Page;
        await browser.OpenAsync(alone.Url);
        using var order = new StringContent("""{"collection": "demo", "method": "rpq", "m": 4, "steps": 200, "training_queries": 512}""", Encoding.UTF8, "application/json");

        using HttpResponseMessage begun = await alone.Http.PostAsync("/v1/admin/train", order);

        Assert.Equal(HttpStatusCode.OK, begun.StatusCode);
        await page.WaitForFunctionAsync("() => document.querySelector('#trainings tbody td:nth-child(3)')?.textContent === 'done'", null, new() { Timeout = 120_000 });
        string[] cells = [.. await page.Locator("#trainings tbody tr").First.Locator("td").AllTextContentsAsync()];
        Assert.Equal(["demo", "1", "done", "rpq", "2", "local"], cells[..6]);
        Assert.Matches(@"^\d+\.\d % → \d+\.\d %$", cells[7]);
        Assert.Equal("training 1 of demo", await page.TextContentAsync("#learning-of"));
        Assert.True(await ColoursAsync(page, "curve-loss") > 2 && await ColoursAsync(page, "curve-recall") > 2);
        await browser.KeepAsync("dashboard-training");
        Assert.Empty(browser.Faults);
    }

    private static async Task<string> TileAsync(IPage page, string name) =>
        (await page.Locator(".tile", new PageLocatorOptions { HasText = name }).Locator("b").TextContentAsync())!;

    /// <summary>Different colours in the picture of a canvas.</summary>
    private static Task<int> ColoursAsync(IPage page, string id = "map") => page.EvaluateAsync<int>(
        """
        id => {
          const map = document.getElementById(id);
          const { data } = map.getContext('2d').getImageData(0, 0, map.width, map.height);
          return new Set(new Uint32Array(data.buffer)).size;
        }
        """,
        id);
}
