using System.Collections.Frozen;
using System.Reflection;
using System.Security.Cryptography;
using Microsoft.Extensions.Primitives;
using Signpost.Engine.Base;

namespace Signpost.Silo.Http;

/// <summary>
/// The page that shows the cluster: files that are part of the program, the same for everybody. What it shows it asks of this API, as any
/// other client.
/// </summary>
internal static class Dashboard
{
    private const string Folder = "/dashboard/";
    private const string FirstFile = "index.html";
    private const string ResourcePrefix = "dashboard/";

    /// <summary>Nothing of another server is loaded, nothing inline is run, and no other page may show this one.</summary>
    private const string ContentPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private static readonly FrozenDictionary<string, string> Types = new Dictionary<string, string>
    {
        [".css"] = "text/css; charset=utf-8",
        [".html"] = "text/html; charset=utf-8",
        [".js"] = "text/javascript; charset=utf-8",
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<string, PageFile> Files = Read();

    /// <summary>Adds the page at /dashboard/, to which / leads.</summary>
    public static void Map(WebApplication app)
    {
        app.MapGet("/", () => TypedResults.Redirect(Folder)).ExcludeFromDescription();
        app.MapGet("/dashboard/{file?}", Answer).ExcludeFromDescription();
    }

    private static Task Answer(HttpContext context, string? file)
    {
        if (file is null && !context.Request.Path.Value!.EndsWith('/'))
        {
            context.Response.Redirect(Folder); // links in the page are relative to the folder
            return Task.CompletedTask;
        }

        if (!Files.TryGetValue(file ?? FirstFile, out PageFile? found))
        {
            return Problems.WriteAsync(
                context, new Problem(ProblemCode.NotFound, "file of the dashboard", $"'{file}'", string.Join(" | ", Files.Keys.Order(StringComparer.Ordinal)), $"Open {Folder}."));
        }

        IHeaderDictionary headers = context.Response.Headers;
        headers.ETag = found.Tag;
        headers.CacheControl = "no-cache"; // asked for again each time, and not sent again while it is the same
        headers.ContentSecurityPolicy = ContentPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        if (context.Request.Headers.IfNoneMatch == new StringValues(found.Tag))
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        context.Response.ContentType = found.Type;
        context.Response.ContentLength = found.Content.Length;
        return context.Response.Body.WriteAsync(found.Content, 0, found.Content.Length, context.RequestAborted);
    }

    private static FrozenDictionary<string, PageFile> Read()
    {
        Assembly program = typeof(Dashboard).Assembly;
        var files = new Dictionary<string, PageFile>();
        foreach (string name in program.GetManifestResourceNames().Where(name => name.StartsWith(ResourcePrefix, StringComparison.Ordinal)))
        {
            using Stream stream = program.GetManifestResourceStream(name)!;
            byte[] content = new byte[stream.Length];
            stream.ReadExactly(content);
            string tag = $"\"{Convert.ToHexString(SHA256.HashData(content), 0, 8)}\"";
            files.Add(name[ResourcePrefix.Length..], new PageFile(content, Types[Path.GetExtension(name)], tag));
        }

        return files.ToFrozenDictionary();
    }

    private sealed record PageFile(byte[] Content, string Type, string Tag);
}
