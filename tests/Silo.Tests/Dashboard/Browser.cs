using Microsoft.Playwright;

namespace Signpost.Silo.Tests.Dashboard;

/// <summary>A Chromium without a window, with one page, that keeps what goes wrong in it.</summary>
internal sealed class Browser : IAsyncDisposable
{
    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;

    private Browser(IPlaywright playwright, IBrowser browser, IPage page)
    {
        (_playwright, _browser, Page) = (playwright, browser, page);
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
            {
                Faults.Add(message.Text);
            }
        };
        page.PageError += (_, error) => Faults.Add(error);
    }

    public IPage Page { get; }

    /// <summary>What the page has complained of.</summary>
    public List<string> Faults { get; } = [];

    /// <param name="scheme">Light or dark.</param>
    /// <param name="more">More words for Chromium.</param>
    public static async Task<Browser> StartAsync(ColorScheme scheme = ColorScheme.Light, params string[] more)
    {
        IPlaywright playwright = await Playwright.CreateAsync();
        IBrowser browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = ChromiumFactAttribute.Program,
            Args = ["--no-sandbox", "--disable-dev-shm-usage", .. more],
        });
        IPage page = await browser.NewPageAsync(new BrowserNewPageOptions
        {
            ColorScheme = scheme,
            ViewportSize = new ViewportSize { Width = 1280, Height = 900 },
        });
        page.SetDefaultTimeout(60_000);
        return new Browser(playwright, browser, page);
    }

    /// <summary>Opens the page of a server and waits until it has shown the cluster.</summary>
    public async Task OpenAsync(string url)
    {
        await Page.GotoAsync($"{url.TrimEnd('/')}/dashboard/");
        await Page.WaitForFunctionAsync("() => Number(document.body.dataset.shown) >= 1");
    }

    /// <summary>Keeps a picture of the whole page where SIGNPOST_SCREENSHOTS names a folder.</summary>
    public async Task KeepAsync(string name)
    {
        if (Environment.GetEnvironmentVariable("SIGNPOST_SCREENSHOTS") is { Length: > 0 } folder)
        {
            await Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, $"{name}.png"), FullPage = true });
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }
}
