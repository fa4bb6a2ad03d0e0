using System.Text.Json;
using System.Text.RegularExpressions;
using Signpost.Silo.Security;
using Signpost.Silo.Tests.Security;
using Signpost.Silo.Tests.Support;
using YamlDotNet.RepresentationModel;

namespace Signpost.Silo.Tests.Deploy;

/// <summary>
/// The job that scrapes silos in Kubernetes, in Prometheus itself. What asks Kubernetes for its pods, and is not in every build of
/// Prometheus, is replaced by what it would have found.
/// </summary>
[Collection(UsesDemoCollection.Name)]
public sealed partial class ScrapeTests(DemoCollection demo) : IDisposable
{
    private const string Namespace = "vectors", Pod = "signpost-2";

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [ProgramFact("promtool", "prometheus")]
    public void The_job_asks_each_silo_once_by_the_name_that_it_advertises()
    {
        YamlNode silos = DeployFiles.Read("kubernetes", "silos.yaml").Single(), job = Job(DeployFiles.Read("prometheus", "kubernetes.yaml")[0]);
        YamlNode discovery = job.List("kubernetes_sd_configs").Single(), labels = silos.Get("spec.template.metadata.labels");
        Assert.Equal("pod", discovery.Text("role"));
        Assert.Equal(string.Join(',', ((YamlMappingNode)labels).Children.Select(label => $"{label.Key}={label.Value}")), discovery.List("selectors").Single().Text("label"));
        Assert.Empty(silos.Keys("spec.template.metadata.annotations")); // they cannot tell of a key

        YamlMappingNode[] ports =
        [
            .. silos.List("spec.template.spec.containers").SelectMany(container => container.List("ports")).Select(port => Target(
                $"10.0.0.7:{port.Text("containerPort")}", ("__meta_kubernetes_namespace", Namespace), ("__meta_kubernetes_pod_name", Pod),
                ("__meta_kubernetes_pod_container_port_name", port.Text("name")))),
        ];
        Assert.Equal(2, ports.Length);
        string settings = Write(ports, keepRelabelling: true);
        Run check = SignpostProcess.RunOther("promtool", _folder, "check", "config", settings);
        Assert.True(check.ExitCode == 0, check.Output + check.Error);

        Run found = SignpostProcess.RunOther("promtool", _folder, "check", "service-discovery", "--timeout=2s", settings, "signpost");
        string[] asked =
        [
            .. JsonDocument.Parse(found.Output).RootElement.EnumerateArray().Select(target => target.GetProperty("labels")).Where(target => target.EnumerateObject().Any())
                .Select(target => $"{target.GetProperty("__scheme__")}://{target.GetProperty("__address__")}{target.GetProperty("__metrics_path__")}"),
        ];
        Assert.Equal([$"https://{DeployFiles.AdvertisedHost(Pod, Namespace)}:7700/metrics"], asked);
    }

    [ProgramFact("prometheus", "prometheus")]
    public async Task Prometheus_reads_a_server_with_tls_and_keys_as_the_job_says()
    {
        using var server = new SecureServer(demo);
        string settings = Write([Target($"127.0.0.1:{server.Url.Port}")], keepRelabelling: false, server.Keys[Role.Read], File.ReadAllText(server.Authorities));
        using SignpostProcess prometheus = SignpostProcess.StartOther(
            "prometheus", _folder, $"--config.file={settings}", $"--storage.tsdb.path={_folder.At("data")}", "--web.listen-address=127.0.0.1:0");
        string address = "";
        await SecureServer.UntilAsync(() => Task.FromResult((address = Listening().Match(prometheus.Error).Groups[1].Value).Length > 0), "Prometheus listens");
        using var http = new HttpClient();
        await SecureServer.UntilAsync(async () => (await http.GetAsync(new Uri($"http://{address}/-/ready"))).IsSuccessStatusCode, "Prometheus is ready");

        await SecureServer.UntilAsync(async () => await ValueAsync("signpost_ready") is not null, "a scrape");
        Assert.Equal(("1", "1"), (await ValueAsync("up{job=\"signpost\"}"), await ValueAsync("signpost_ready")));

        async Task<string?> ValueAsync(string query)
        {
            using JsonDocument answer = JsonDocument.Parse(await http.GetStringAsync(new Uri($"http://{address}/api/v1/query?query={Uri.EscapeDataString(query)}")));
            JsonElement result = answer.RootElement.GetProperty("data").GetProperty("result");
            return result.GetArrayLength() == 0 ? null : result[0].GetProperty("value")[1].GetString();
        }
    }

    private static YamlMappingNode Job(YamlMappingNode settings) => (YamlMappingNode)settings.List("scrape_configs").Single();

    private static YamlMappingNode Target(string address, params (string Name, string Value)[] labels) => new()
    {
        { "targets", new YamlSequenceNode(address) },
        { "labels", new YamlMappingNode(labels.SelectMany(label => new YamlNode[] { label.Name, label.Value })) },
    };

    /// <summary>Writes the settings with these targets in place of those of Kubernetes, and the files that they name beside them.</summary>
    private string Write(YamlMappingNode[] targets, bool keepRelabelling, string key = "a key", string? authorities = null)
    {
        using var authority = new TestAuthority();
        YamlMappingNode settings = DeployFiles.Read("prometheus", "kubernetes.yaml")[0], job = Job(settings);
        Assert.True(job.Children.Remove("kubernetes_sd_configs"));
        Assert.True(keepRelabelling || job.Children.Remove("relabel_configs"));
        job.Add("static_configs", new YamlSequenceNode(targets));
        ((YamlMappingNode)settings.Get("global")).Children["scrape_interval"] = "1s";
        Directory.CreateDirectory(_folder.At("signpost"));
        File.WriteAllText(_folder.At(job.Text("authorization.credentials_file")), key);
        File.WriteAllText(_folder.At(job.Text("tls_config.ca_file")), authorities ?? authority.Pem);
        File.Copy(DeployFiles.At("prometheus", "alerts.yaml"), _folder.At(settings.Texts("rule_files").Single()));
        using StreamWriter file = File.CreateText(_folder.At("prometheus.yaml"));
        new YamlStream(new YamlDocument(settings)).Save(file, assignAnchors: false);
        return _folder.At("prometheus.yaml");
    }

    [GeneratedRegex("msg=\"Listening on\" address=(\\S+)")]
    private static partial Regex Listening();
}
