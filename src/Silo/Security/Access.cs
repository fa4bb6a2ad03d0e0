using Signpost.Silo.Http;

namespace Signpost.Silo.Security;

/// <summary>
/// Lets in who shows a key that opens what is asked. Everything needs a key but what <see cref="Needed"/> leaves open: a path that is added
/// later is closed until it says otherwise.
/// </summary>
internal sealed class Access(Reloaded<ApiKeys>? keys)
{
    /// <summary>Every path below needs <see cref="Role.Admin"/>.</summary>
    public const string AdminPath = "/v1/admin";

    /// <summary>Below are files of a page that is the same for all; what it shows it asks with its reader's key.</summary>
    public const string DashboardPath = "/dashboard";

    /// <summary>Header of a key, for those who cannot set Authorization.</summary>
    public const string KeyHeader = "api-key";

    private const string Scheme = "Bearer ";

    /// <summary>What probes ask.</summary>
    private static readonly string[] OpenPaths = ["/health", "/ready", "/"]; // the last one leads to the page

    /// <summary>The role that a request needs; null where it needs no key.</summary>
    public static Role? Needed(HttpRequest request)
    {
        bool gets = Gets(request);
        bool searches = HttpMethods.IsPost(request.Method) && request.Path.Value!.EndsWith("/search", StringComparison.Ordinal);
        return request.Path.StartsWithSegments(AdminPath) ? Role.Admin
            : gets && (OpenPaths.Contains(request.Path.Value) || request.Path.StartsWithSegments(DashboardPath)) ? null
            : gets || searches ? Role.Read
            : Role.Write;
    }

    /// <summary>Who asks, where keys are asked for; null otherwise.</summary>
    public static KeyOwner? OwnerOf(HttpContext context) => context.Features.Get<KeyOwner>();

    /// <summary>Goes before everything that answers, and behind what writes refusals.</summary>
    public Task CheckAsync(HttpContext context, RequestDelegate next)
    {
        if (IsOfAnotherSite(context.Request))
        {
            return Problems.WriteAsync(
                context, StatusCodes.Status403Forbidden, "Forbidden", "request", "one that a page of another site has made a browser send", "one of a program",
                "Ask from the page's own server.");
        }

        return keys is not null && Needed(context.Request) is { } needed ? CheckAsync(context, keys.Value, needed, next) : next(context);
    }

    private static Task CheckAsync(HttpContext context, ApiKeys keys, Role needed, RequestDelegate next)
    {
        string? key = KeyOf(context.Request.Headers);
        KeyOwner? owner = key is null ? null : keys.Find(key);
        string expected = $"a key of the role {Word(needed)}{(needed < Role.Admin ? " or a higher one" : "")}";
        if (owner is null)
        {
            context.Response.Headers.WWWAuthenticate = key is null ? "Bearer realm=\"signpost\"" : "Bearer realm=\"signpost\", error=\"invalid_token\"";
            return Problems.WriteAsync(
                context, StatusCodes.Status401Unauthorized, "Unauthorized", "API key", key is null ? "none" : "one that is not known", expected,
                "Send a known one: Authorization: Bearer KEY.");
        }

        if (owner.Role < needed)
        {
            context.Response.Headers.WWWAuthenticate = $"Bearer realm=\"signpost\", error=\"insufficient_scope\", scope=\"{Word(needed)}\"";
            return Problems.WriteAsync(
                context, StatusCodes.Status403Forbidden, "Forbidden", "API key", $"that of {owner.Name}, of the role {Word(owner.Role)}", expected,
                "Ask with such a key.");
        }

        context.Features.Set(owner);
        return next(context);
    }

    private static string Word(Role role) => ApiKeys.Roles.First(r => r.Value == role).Word;

    private static string? KeyOf(IHeaderDictionary headers)
    {
        string authorization = headers.Authorization.ToString();
        string key = authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? authorization[Scheme.Length..].Trim() : headers[KeyHeader].ToString();
        return key.Length > 0 ? key : null;
    }

    private static bool Gets(HttpRequest request) => HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);

    /// <summary>
    /// Browsers say where a request comes from. Without keys, a page of anybody's could otherwise change things in a server that its reader
    /// reaches. Sec-Fetch-Site is their own judgement, but only servers with https and those of the reader's machine are told it; all are
    /// told the origin of the page with what is not GET or HEAD.
    /// </summary>
    private static bool IsOfAnotherSite(HttpRequest request)
    {
        if (Gets(request))
        {
            return false;
        }

        string site = request.Headers["Sec-Fetch-Site"].ToString();
        return site.Length > 0 ? site is "cross-site" or "same-site" : request.Headers.Origin.Count > 0 && !IsOwn(request.Headers.Origin.ToString(), request.Host);
    }

    /// <summary>Whether a page of <paramref name="origin"/> is of the server that is asked as <paramref name="host"/>; what stands before it may speak TLS for it.</summary>
    private static bool IsOwn(string origin, HostString host) =>
        new[] { Uri.UriSchemeHttp, Uri.UriSchemeHttps }.Any(scheme => origin.Equals($"{scheme}://{host.Value}", StringComparison.OrdinalIgnoreCase));
}
