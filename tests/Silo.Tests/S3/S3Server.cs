using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Signpost.Silo.Tests.Support;

namespace Signpost.Silo.Tests.S3;

/// <summary>A real server of the S3 protocol (npm s3rver, with the atomicity of S3: one-step-s3rver.cjs) on a free port of this machine, with a bucket and a folder of its own.</summary>
internal sealed class S3Server : IDisposable
{
    public const string Bucket = "signpost";

    /// <summary>Where s3rver is: its script, or a folder with node_modules; without it the command s3rver is looked for.</summary>
    private const string Variable = "SIGNPOST_S3RVER";

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    private readonly string _folder = Directory.CreateTempSubdirectory("signpost-s3-").FullName;
    private Process? _process;

    private readonly bool _hasConditions;

    /// <param name="hasConditions">Whether it honours conditions of writes, as S3 does; some servers of its protocol do not.</param>
    public S3Server(bool hasConditions = true)
    {
        _hasConditions = hasConditions;
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        Port = ((IPEndPoint)probe.LocalEndpoint).Port;
        probe.Stop();
        Credentials = Path.Combine(_folder, "credentials");
        File.WriteAllText(Credentials, "[default]\naws_access_key_id = S3RVER\naws_secret_access_key = S3RVER\n");
        Start();
    }

    /// <summary>Why there is none; null where there is one.</summary>
    public static string? Missing => Command is null ? $"needs s3rver 3.7.1 (npm) and {Variable}, the path of its bin/s3rver.js" : null;

    public int Port { get; }

    public Uri Endpoint => new($"http://127.0.0.1:{Port}");

    /// <summary>A file with the keys that s3rver knows.</summary>
    public string Credentials { get; }

    /// <summary>The file in which the server keeps an object.</summary>
    public string FileOf(string key) => Path.Combine(_folder, "data", Bucket, key + "._S3rver_object");

    public void Start()
    {
        var start = new ProcessStartInfo(Command![0]) { RedirectStandardOutput = true, RedirectStandardError = true };
        string[] options = ["-d", Path.Combine(_folder, "data"), "-a", "127.0.0.1", "-p", $"{Port}", "--silent", "--configure-bucket", Bucket];
        Array.ForEach([.. Command[1..], .. options], start.ArgumentList.Add);
        start.Environment["WITHOUT_CONDITIONS"] = _hasConditions ? "" : "1";
        Directory.CreateDirectory(Path.Combine(_folder, "data"));
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, _) => { };
        _process.ErrorDataReceived += (_, _) => { };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        for (long began = Stopwatch.GetTimestamp(); ; Thread.Sleep(20))
        {
            try
            {
                using var connection = new TcpClient();
                connection.Connect(IPAddress.Loopback, Port);
                return;
            }
            catch (SocketException) when (!_process.HasExited && Stopwatch.GetElapsedTime(began) < Longest)
            {
            }
        }
    }

    /// <summary>As kill -9 does.</summary>
    public void Kill()
    {
        _process!.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
        _process = null;
    }

    public void Dispose()
    {
        if (_process is not null)
        {
            Kill();
        }

        Directory.Delete(_folder, recursive: true);
    }

    private static string[]? Command
    {
        get
        {
            string[] places = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
            string? Find(string name) => places.Select(place => Path.Combine(place, name)).FirstOrDefault(File.Exists);
            string? given = Environment.GetEnvironmentVariable(Variable);
            string[] scripts = given is null ? [] : [given, Path.Combine(given, "node_modules/s3rver/bin/s3rver.js"), Path.Combine(given, "s3rver/bin/s3rver.js")];
            return (scripts.FirstOrDefault(File.Exists) ?? Find("s3rver")) is { } script && Find("node") is { } node
                ? [node, "--require", Repository.At("tests", "Silo.Tests", "S3", "one-step-s3rver.cjs"), script] : null;
        }
    }
}

/// <summary>A test that needs a server of the S3 protocol.</summary>
internal sealed class S3FactAttribute : FactAttribute
{
    public S3FactAttribute() => Skip = S3Server.Missing;
}

/// <summary>A theory that needs a server of the S3 protocol.</summary>
internal sealed class S3TheoryAttribute : TheoryAttribute
{
    public S3TheoryAttribute() => Skip = S3Server.Missing;
}
