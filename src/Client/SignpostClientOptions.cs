namespace Signpost.Client;

/// <summary>Settings of a <see cref="SignpostClient"/>. All problems with them are told at once when the client is made.</summary>
public sealed class SignpostClientOptions
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    /// <summary>
    /// Addresses of silos, http://HOST:PORT or https://HOST:PORT; one that answers is enough to find the others. Where one is https, others
    /// that the cluster tells of are asked by https alone.
    /// </summary>
    public IList<string> Addresses { get; set; } = [];

    /// <summary>Longest time of a call with all its retries, above zero. 30 s: two silos may be silent before a third one answers.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Time that one silo has for an answer, above zero; then another one is asked. 12 s: more than the 10 s after which a silo answers a
    /// search with what it has. A search with <see cref="SearchOptions.Timeout"/> has one second more than that instead.
    /// </summary>
    public TimeSpan SiloTimeout { get; set; } = TimeSpan.FromSeconds(12);

    /// <summary>Longest time to connect, above zero. 2 s: a machine that is there connects in milliseconds.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How often a call is tried again, 0 .. 20, at another silo where there is one. 2: the first two may be the two that died.</summary>
    public int Retries { get; set; } = 2;

    /// <summary>How long a silo that failed is not asked while there are others, 0 .. 1 day. 5 s: then one call tries it.</summary>
    public TimeSpan Rest { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How often a client in use asks the cluster for its silos, above zero. 15 s: a new silo gets its share soon.</summary>
    public TimeSpan RefreshEvery { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>The key that is shown to the silos, where they ask for one: printable characters without spaces. Send it over https.</summary>
    public string? ApiKey { get; set; }

    /// <summary>
    /// File (PEM) of the authorities that the silos' certificates must be signed by; null: those that the system trusts. Read once.
    /// </summary>
    public string? CaFile { get; set; }

    /// <summary>Sends the requests in place of the built-in handler, for example to log in at a proxy. It is not disposed of.</summary>
    public HttpMessageHandler? Handler { get; set; }

    /// <summary>The addresses; each ends with a slash, so that paths are added to it.</summary>
    /// <exception cref="ArgumentException">Something is wrong: everything that is.</exception>
    internal Uri[] Validate()
    {
        List<string> problems = [];
        Uri?[] uris = [.. Addresses.Select(SiloAddress)];
        for (int i = 0; i < uris.Length; i++)
        {
            Require(uris[i] is not null, $"{nameof(Addresses)}[{i}]: got '{Addresses[i]}', expected http://HOST:PORT or https://HOST:PORT");
        }

        Require(uris.Length > 0, $"{nameof(Addresses)}: got none, expected at least one");
        Require(Retries is >= 0 and <= 20, $"{nameof(Retries)}: got {Retries}, expected 0 .. 20");
        RequireTime(Timeout, nameof(Timeout));
        RequireTime(SiloTimeout, nameof(SiloTimeout));
        RequireTime(ConnectTimeout, nameof(ConnectTimeout));
        RequireTime(RefreshEvery, nameof(RefreshEvery));
        Require(Rest >= TimeSpan.Zero && Rest <= Day, $"{nameof(Rest)}: got {Rest}, expected 0 .. 1 day");
        Require(ApiKey is null || (ApiKey.Length > 0 && ApiKey.All(c => c is > ' ' and <= '~')), $"{nameof(ApiKey)}: got other characters, expected printable ones without spaces");
        Require(CaFile is null || Handler is null, $"{nameof(CaFile)}: got one beside a {nameof(Handler)}, expected one of the two");
        Require(CaFileProblem is null, $"{nameof(CaFile)}: got {CaFileProblem}, expected a file of certificates (PEM)");
        return problems.Count == 0
            ? [.. uris.OfType<Uri>()]
            : throw new ArgumentException("The options of the Signpost client cannot be used:\n  " + string.Join("\n  ", problems));

        void RequireTime(TimeSpan time, string name) => Require(time > TimeSpan.Zero && time <= Day, $"{name}: got {time}, expected more than 0, at most 1 day");

        void Require(bool holds, string problem)
        {
            if (!holds)
            {
                problems.Add(problem);
            }
        }
    }

    /// <summary>What trusts the silos' certificates; null: the system.</summary>
    internal Trust? Trust => CaFile is null ? null : Trust.Load(CaFile);

    private string? CaFileProblem
    {
        get
        {
            try
            {
                _ = Trust;
                return null;
            }
            catch (Exception e) when (Trust.IsOfFile(e))
            {
                return e.Message;
            }
        }
    }

    /// <summary><paramref name="text"/> as the address of a silo; null where it is none.</summary>
    internal static Uri? SiloAddress(string? text) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https" && uri.Host.Length > 0
            && uri.Query.Length == 0 && uri.Fragment.Length == 0
            ? uri.AbsolutePath.EndsWith('/') ? uri : new Uri(uri.AbsoluteUri + "/")
            : null;
}
