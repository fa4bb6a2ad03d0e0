namespace Signpost.Silo.Tests.Dashboard;

/// <summary>A test in a real browser; skipped where there is no Chromium.</summary>
internal sealed class ChromiumFactAttribute : FactAttribute
{
    private static readonly string[] Places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    public ChromiumFactAttribute()
    {
        if (Program is null)
        {
            Skip = "needs Chromium (Debian's package chromium)";
        }
    }

    /// <summary>The browser; null where there is none.</summary>
    public static string? Program { get; } = Places.FirstOrDefault(File.Exists);
}
