using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Signpost.Silo.Security;
using Signpost.Silo.Tests.Support;

namespace Signpost.Silo.Tests.Security;

/// <summary>Who is let in, by real requests to a real server.</summary>
[Collection(UsesDemoCollection.Name)]
public sealed class KeyTests(DemoCollection demo, SecureServer server) : IClassFixture<SecureServer>
{
    private const string Search = "/v1/collections/demo/search";

    [Theory]
    [InlineData("GET", "/health", HttpStatusCode.OK)]
    [InlineData("GET", "/ready", HttpStatusCode.OK)]
    [InlineData("GET", "/dashboard/nothing", HttpStatusCode.NotFound)]
    [InlineData("POST", "/health", HttpStatusCode.Unauthorized)]
    [InlineData("POST", "/dashboard/nothing", HttpStatusCode.Unauthorized)]
    [InlineData("GET", "/dashboards", HttpStatusCode.Unauthorized)]
    [InlineData("GET", "/", HttpStatusCode.OK)]
    [InlineData("GET", "/metrics", HttpStatusCode.Unauthorized)]
    [InlineData("GET", "/openapi/v1.json", HttpStatusCode.Unauthorized)]
    [InlineData("GET", "/v1/cluster", HttpStatusCode.Unauthorized)]
    [InlineData("GET", "/v1/collections", HttpStatusCode.Unauthorized)]
    [InlineData("POST", Search, HttpStatusCode.Unauthorized)]
    [InlineData("POST", "/v1/admin/anything", HttpStatusCode.Unauthorized)]
    [InlineData("GET", "/dashboard/%2e%2e/v1/cluster", HttpStatusCode.Unauthorized)]
    [InlineData("GET", "/health/../v1/cluster", HttpStatusCode.Unauthorized)]
    public async Task Without_a_key_only_probes_and_the_files_of_the_dashboard_are_answered(string method, string path, HttpStatusCode status)
    {
        using HttpClient http = server.Http();
        using HttpResponseMessage response = await http.SendAsync(new HttpRequestMessage(new HttpMethod(method), AsWritten(path)));
        Assert.Equal(status, response.StatusCode);
        if (status == HttpStatusCode.Unauthorized)
        {
            await AssertProblemAsync(response, "Unauthorized", "Bearer realm=\"signpost\"");
        }
    }

    [Theory]
    [InlineData("read", "GET", "/v1/cluster", 200)]
    [InlineData("read", "GET", "/openapi/v1.json", 200)]
    [InlineData("read", "GET", "/nowhere", 404)]
    [InlineData("read", "DELETE", "/v1/collections/demo", 403)]
    [InlineData("read", "GET", "/v1/admin", 403)]
    [InlineData("read", "GET", "/v1/admin/anything", 403)]
    [InlineData("read", "POST", "/v1/admin/search", 403)]
    [InlineData("read", "GET", "/V1/Admin/anything", 403)]
    [InlineData("read", "GET", "/v1/%61dmin/anything", 403)]
    [InlineData("read", "GET", "/v1/collections/../admin/anything", 403)]
    [InlineData("read", "GET", "/v1/collections/%2e%2e/admin/anything", 403)]
    [InlineData("write", "DELETE", "/v1/collections/demo", 405)]
    [InlineData("write", "GET", "/v1/collections", 200)]
    [InlineData("write", "POST", "/v1/admin/anything", 403)]
    [InlineData("admin", "POST", "/v1/admin/anything", 404)]
    [InlineData("admin", "GET", "/v1/collections", 200)]
    public async Task A_key_opens_what_its_role_may_do_and_no_more(string role, string method, string path, int status)
    {
        using HttpClient http = server.Http(ApiKeys.Roles.Single(known => known.Word == role).Value);
        using HttpResponseMessage response = await http.SendAsync(new HttpRequestMessage(new HttpMethod(method), AsWritten(path)));
        Assert.Equal(status, (int)response.StatusCode);
        if (status == 403)
        {
            await AssertProblemAsync(response, "Forbidden", "insufficient_scope");
        }
    }

    [Fact]
    public async Task A_search_needs_a_key_that_is_known_in_either_header()
    {
        object body = new { vector = demo.QueryVectors(1)[0] };
        using HttpClient http = server.Http();
        http.DefaultRequestHeaders.Add(Access.KeyHeader, server.Keys[Role.Read]);
        Assert.Equal(HttpStatusCode.OK, (await http.PostAsJsonAsync(Search, body)).StatusCode);

        string known = server.Keys[Role.Read];
        foreach (string wrong in new[] { known + "x", known[..^1], known.ToUpperInvariant(), "", "sp_", new string('x', 20_000) })
        {
            using HttpClient other = server.Http();
            other.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", $"Bearer {wrong}");
            using HttpResponseMessage response = await other.PostAsJsonAsync(Search, body);
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
            string answer = await AssertProblemAsync(response, "Unauthorized", "Bearer");
            Assert.True(wrong.Length < 4 || !answer.Contains(wrong, StringComparison.Ordinal), answer);
        }
    }

    [Fact]
    public async Task A_page_of_another_site_cannot_make_a_browser_ask()
    {
        using HttpClient http = server.Http(Role.Admin);
        http.DefaultRequestHeaders.Add("Sec-Fetch-Site", "cross-site");
        Assert.Equal(HttpStatusCode.Forbidden, (await http.PostAsJsonAsync("/v1/admin/anything", 1)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("/v1/cluster")).StatusCode); // the browser lets it not read the answer
    }

    [Theory]
    [InlineData("..%2f..%2f..%2f..%2fetc%2fpasswd")]
    [InlineData("%2e%2e%2f%2e%2e%2fetc%2fpasswd")]
    [InlineData("..%5c..%5cetc%5cpasswd")]
    [InlineData("..%252f..%252fetc%252fpasswd")]
    [InlineData("demo%00")]
    [InlineData("demo%2f..%2fdemo")]
    [InlineData("%ff%fe")]
    public async Task The_name_of_a_collection_is_no_path(string name)
    {
        using HttpClient http = server.Http(Role.Read);
        foreach (string path in new[] { $"/v1/collections/{name}", $"/v1/collections/{name}/search" })
        {
            var request = new HttpRequestMessage(path.EndsWith("search", StringComparison.Ordinal) ? HttpMethod.Post : HttpMethod.Get, AsWritten(path));
            using HttpResponseMessage response = await http.SendAsync(request);
            Assert.True(response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.BadRequest, $"{path}: {response.StatusCode}");
            Assert.DoesNotContain("root:", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Keys_that_change_are_in_force_without_a_restart_and_a_damaged_file_leaves_the_old_ones()
    {
        using var own = new SecureServer(demo, _ => { });
        using HttpClient old = own.Http(Role.Read);
        Assert.Equal(HttpStatusCode.OK, (await old.GetAsync("/v1/collections")).StatusCode);

        string added = ApiKeys.NewKey();
        File.WriteAllText(own.KeysFile, ApiKeys.Line(Role.Read, "added", added));
        await SecureServer.UntilAsync(async () => (await old.GetAsync("/v1/collections")).StatusCode == HttpStatusCode.Unauthorized, "the old key is refused");
        own.Keys[Role.Read] = added;
        using HttpClient http = own.Http(Role.Read);
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("/v1/collections")).StatusCode);

        foreach (string damage in new[] { "", $"read added {added}", ApiKeys.Line(Role.Read, "other", "x")[..^1] })
        {
            File.WriteAllText(own.KeysFile, damage);
            int said = own.Said.Length;
            await SecureServer.UntilAsync(async () =>
            {
                Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("/v1/collections")).StatusCode);
                return own.Said[said..].Contains("the old goes on", StringComparison.Ordinal);
            }, "the server tells of the damage");
            File.WriteAllText(own.KeysFile, ApiKeys.Line(Role.Read, "added", added)); // mended
            await Task.Delay(1100);
            await http.GetAsync("/v1/collections");
        }

        File.Delete(own.KeysFile);
        await Task.Delay(1100);
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("/v1/collections")).StatusCode);
        Assert.DoesNotContain(added, own.Said, StringComparison.Ordinal);
    }

    /// <summary>A path that is sent as it stands: clients take dots and escapes out of others before they send them.</summary>
    private Uri AsWritten(string path) => new(
        server.Url.GetLeftPart(UriPartial.Authority) + path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });

    private static async Task<string> AssertProblemAsync(HttpResponseMessage response, string code, string authenticate)
    {
        string text = await response.Content.ReadAsStringAsync();
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal("1", response.Headers.GetValues("Signpost-Api").Single());
        Assert.Equal(code, JsonDocument.Parse(text).RootElement.GetProperty("code").GetString());
        Assert.Contains(authenticate, response.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        return text;
    }
}
