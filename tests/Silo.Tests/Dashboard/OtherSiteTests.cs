using System.Net;
using System.Net.Http.Json;
using Microsoft.Playwright;
using Signpost.Silo.Tests.Support;

namespace Signpost.Silo.Tests.Dashboard;

/// <summary>
/// What a page of another site can make its reader's browser do to a server without keys: nothing. Browsers say Sec-Fetch-Site only to https
/// and to the machine itself, Origin with every request that is not GET or HEAD.
/// </summary>
[Collection(UsesDemoCollection.Name)]
public sealed class OtherSiteTests(DemoCollection demo, ServerProcess server) : IClassFixture<ServerProcess>
{
    private const string Search = "/v1/collections/demo/search";

    [Theory]
    [InlineData("http://10.0.0.11:7700", "10.0.0.11:7700", null, true)]
    [InlineData("http://silo.example", "silo.example", null, true)]
    [InlineData("http://Silo.example", "silo.EXAMPLE", null, true)]
    [InlineData("https://silo.example", "silo.example", null, true)] // behind what speaks TLS
    [InlineData("http://[::1]:7700", "[::1]:7700", null, true)]
    [InlineData(null, "10.0.0.11:7700", null, true)] // a program
    [InlineData("http://evil.example", "10.0.0.11:7700", null, false)]
    [InlineData("http://10.0.0.11:7701", "10.0.0.11:7700", null, false)]
    [InlineData("http://10.0.0.11", "10.0.0.11:7700", null, false)]
    [InlineData("http://silo.example.evil.example", "silo.example", null, false)]
    [InlineData("http://evil.example@silo.example", "silo.example", null, false)]
    [InlineData("silo.example", "silo.example", null, false)]
    [InlineData("null", "null", null, false)] // a page without an origin: a file, or in a sandbox
    [InlineData("", "silo.example", null, false)]
    [InlineData("https://proxy.example", "10.0.0.11:7700", "same-origin", true)] // a browser knows better than a proxy that changes Host
    [InlineData("https://silo.example", "silo.example", "cross-site", false)]
    [InlineData(null, "silo.example", "same-site", false)]
    public async Task What_changes_something_must_come_from_the_servers_own_page_or_from_none(string? origin, string host, string? site, bool isTaken)
    {
        using HttpResponseMessage posted = await SendAsync(HttpMethod.Post, JsonContent.Create(new { vector = demo.QueryVectors(1)[0] }));
        Assert.Equal(isTaken ? HttpStatusCode.OK : HttpStatusCode.Forbidden, posted.StatusCode);
        using HttpResponseMessage got = await SendAsync(HttpMethod.Get, null);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, got.StatusCode); // let in

        async Task<HttpResponseMessage> SendAsync(HttpMethod method, HttpContent? content)
        {
            using var request = new HttpRequestMessage(method, Search) { Content = content, Headers = { Host = host } };
            foreach ((string name, string? value) in new[] { ("Origin", origin), ("Sec-Fetch-Site", site) })
            {
                Assert.True(value is null || request.Headers.TryAddWithoutValidation(name, value));
            }

            return await server.Http.SendAsync(request);
        }
    }

    [ChromiumFact]
    public async Task A_page_of_another_site_begins_nothing_and_the_servers_own_page_searches()
    {
        // Names that are not the machine's own, so that the browser tells the server nothing but the origin.
        await using Browser browser = await Browser.StartAsync(more: "--host-resolver-rules=MAP *.example 127.0.0.1");
        string silo = $"http://silo.example:{new Uri(server.Url).Port}";
        await using SyntheticCluster evil = await SyntheticCluster.StartAsync(1, 1); // any page will do
        await browser.Page.GotoAsync($"http://evil.example:{new Uri(evil.Url).Port}/v1/cluster");
        IResponse answer = await browser.Page.RunAndWaitForResponseAsync(
            () => browser.Page.EvaluateAsync(
                """url => fetch(url, { method: 'POST', mode: 'no-cors', body: new Blob(['{"collection": "demo", "method": "pq", "m": 4}']) })""", $"{silo}/v1/admin/train"),
            response => response.Request.Method == "POST");

        Assert.Equal((int)HttpStatusCode.Forbidden, answer.Status);
        string cluster = await server.Http.GetStringAsync("/v1/cluster");
        Assert.Contains("\"trainings\":[]", cluster, StringComparison.Ordinal);

        browser.Faults.Clear();
        await browser.OpenAsync(silo);
        await browser.Page.ClickAsync("#ask-random");
        await browser.Page.ClickAsync("#ask button:not([type=button])");
        await browser.Page.WaitForFunctionAsync("() => document.querySelectorAll('#hits tbody tr').length === 10");
        Assert.Empty(browser.Faults);
    }
}
