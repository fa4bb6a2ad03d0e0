using Signpost.Engine.Base;
using Signpost.Silo.Security;
using Signpost.Silo.Tests.Support;

namespace Signpost.Silo.Tests.Security;

/// <summary>What is refused before a server starts, what it warns of, and the files.</summary>
[Collection(UsesDemoCollection.Name)]
public sealed class SecurityOptionsTests(DemoCollection demo)
{
    private static readonly SecurityOptions Nothing = new();
    private static readonly SecurityOptions All = new() { Certificate = "c", Keys = "k", PeerSecret = "s" };

    [Fact]
    public void What_does_not_fit_together_is_told_at_once()
    {
        Assert.Null(Nothing.Validate(new Uri("http://0.0.0.0:1"), new Uri("http://0.0.0.0:2")));
        Assert.Null(All.Validate(new Uri("https://0.0.0.0:1"), new Uri("https://0.0.0.0:2")));
        Assert.Null(All.Validate(new Uri("http://127.0.0.1:1"), new Uri("http://127.0.0.1:2")));
        Problem problem = Assert.IsType<Problem>(new SecurityOptions { NeedsPeerCertificate = true }
            .Validate(new Uri("https://0.0.0.0:1"), new Uri("https://0.0.0.0:2")));
        Assert.Equal("serve.url; cluster.peer_url; security.peer_client_certificate", problem.What);
        Assert.Equal("security.peer_secret", All.Validate(new Uri("https://0.0.0.0:1"), new Uri("http://10.0.0.1:2"))!.What);
    }

    [Theory]
    [InlineData(false, "http://127.0.0.1:1", "http://[::1]:2", "")]
    [InlineData(false, "http://localhost:1", null, "")]
    [InlineData(true, "https://0.0.0.0:1", "https://10.0.0.1:2", "")]
    [InlineData(true, "http://0.0.0.0:1", null, "http://0.0.0.0:1 keys and answers can be read")]
    [InlineData(false, "http://0.0.0.0:1", null, "http://0.0.0.0:1 security.keys https what is asked")]
    [InlineData(false, "https://0.0.0.0:1", null, "https://0.0.0.0:1 security.keys")]
    [InlineData(false, "http://127.0.0.1:1", "http://10.0.0.1:2", "http://10.0.0.1:2 security.peer_secret https what silos tell")]
    public void What_is_open_to_others_is_told_with_how_to_close_it(bool isClosed, string url, string? peerUrl, string words)
    {
        string[] lines = [.. (isClosed ? All : Nothing).Warnings(new Uri(url), peerUrl is null ? null : new Uri(peerUrl))];
        Assert.Equal(words.Length == 0 ? 0 : 1, lines.Length);
        Assert.All(lines, line => Assert.StartsWith("warning: ", line, StringComparison.Ordinal));
        Assert.All(words.Split(' ', StringSplitOptions.RemoveEmptyEntries), word => Assert.Contains(word, lines[0], StringComparison.Ordinal));
    }

    [Fact]
    public void A_server_that_is_open_to_its_network_says_so_in_one_line_of_its_own()
    {
        using SignpostProcess open = SignpostProcess.Start(
            demo.Root, "serve", "--collection", demo.Collection, "--url", "http://0.0.0.0:0", "--threads", "1", "--quiet");
        open.FirstLine();
        Assert.Equal(1, open.Error.Split('\n').Count(line => line.StartsWith("signpost: warning: http://0.0.0.0:0 is open", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("--url", "https://127.0.0.1:0", "security.certificate")]
    [InlineData("--keys", "nowhere", "nowhere")]
    [InlineData("--certificate", "nowhere.pem", "nowhere.pem")]
    [InlineData("--ca", "nowhere.pem", "security.ca")]
    public void A_server_without_the_files_that_it_needs_does_not_start(string option, string value, string told)
    {
        Run run = SignpostProcess.Run(demo.Root, "serve", "--collection", demo.Collection, "--quiet", option, value);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(told, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_is_shown_once_and_its_line_lets_its_owner_in()
    {
        Run run = SignpostProcess.Run(demo.Root, "key", "app-1", "--role", "write");
        string[] words = run.Output.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        string key = Assert.Single(words, word => word.StartsWith("sp_", StringComparison.Ordinal));
        Assert.Equal(46, key.Length);
        Assert.Equal(new KeyOwner("app-1", Role.Write), ApiKeys.Parse(string.Join(' ', words[^3..])).Find(key));
        Assert.Equal(2, SignpostProcess.Run(demo.Root, "key", "a b").ExitCode);
    }

    [Fact]
    public void The_file_of_keys_has_comments_and_each_key_its_owner()
    {
        string[] keys = [.. Enumerable.Range(0, 3).Select(_ => ApiKeys.NewKey())];
        ApiKeys read = ApiKeys.Parse($"# ours\r\n\r\n{ApiKeys.Line(Role.Read, "a", keys[0])}\r\n  {ApiKeys.Line(Role.Admin, "b", keys[1])}");
        Assert.Equal(new KeyOwner("a", Role.Read), read.Find(keys[0]));
        Assert.Equal(new KeyOwner("b", Role.Admin), read.Find(keys[1]));
        Assert.Null(read.Find(keys[2]));
        Assert.Null(read.Find(""));
    }

    [Theory]
    [InlineData("", "the file")]
    [InlineData("# nothing\n", "the file")]
    [InlineData("read a\n", "line 1")]
    [InlineData("\nowner a SHA", "line 2")]
    [InlineData("READ a SHA", "line 1")]
    [InlineData("read a sp_secret", "line 1")]
    [InlineData("sp_secret a SHA", "line 1")]
    [InlineData("read a SHA more", "line 1")]
    [InlineData("read a SHA\nread a SHA", "line 2")]
    public void A_damaged_file_of_keys_is_refused_and_not_quoted(string text, string where)
    {
        Problem problem = Assert.Throws<ProblemException>(() => ApiKeys.Parse(text.Replace("SHA", new string('a', 64), StringComparison.Ordinal))).Problem;
        Assert.Contains(where, problem.What, StringComparison.Ordinal);
        Assert.DoesNotContain("sp_secret", problem.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_line_of_the_peer_secret_is_known_and_the_first_one_is_sent()
    {
        string first = new('a', 32), second = new('b', 40);
        PeerSecret secret = PeerSecret.Parse($"{first}\r\n{second}\n");
        Assert.Equal(first, secret.Sent);
        Assert.True(secret.IsKnown(PeerSecret.HashOf(first)) && secret.IsKnown(PeerSecret.HashOf(second)));
        Assert.False(secret.IsKnown(PeerSecret.HashOf("")) || secret.IsKnown(PeerSecret.HashOf(first + "a")) || secret.IsKnown(PeerSecret.HashOf(first + "\n" + second)));
        foreach (string bad in new[] { "", "\n", "too-short-secret", $"{first}\n{first} {second}" })
        {
            Assert.DoesNotContain("too-short", Assert.Throws<ProblemException>(() => PeerSecret.Parse(bad)).Message, StringComparison.Ordinal);
        }
    }
}
