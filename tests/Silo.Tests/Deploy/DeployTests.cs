using System.Text.Json;
using System.Text.RegularExpressions;
using Signpost.Silo.Tests.Support;
using YamlDotNet.RepresentationModel;

namespace Signpost.Silo.Tests.Deploy;

/// <summary>The files of deploy/ name what is there: settings, files, ports, paths, metrics.</summary>
public sealed partial class DeployTests
{
    private static readonly string[] Manifests = ["redis.yaml", "services.yaml", "silos.yaml", "budget.yaml"];

    private static IEnumerable<YamlMappingNode> Objects => Manifests.SelectMany(file => DeployFiles.Read("kubernetes", file));

    private static YamlMappingNode Silos => Objects.Single(o => o.Text("kind") == "StatefulSet" && o.Text("metadata.name") == "signpost");

    [Theory]
    [InlineData("compose")]
    [InlineData("kubernetes")]
    [InlineData("systemd")]
    public void The_settings_of_a_deployment_are_settings_of_the_program(string folder) =>
        Assert.Empty(ConfigFile.Load(DeployFiles.At(folder, "cluster.yaml")).Errors);

    [Fact]
    public void Compose_names_files_services_and_volumes_that_are_there()
    {
        YamlMappingNode compose = DeployFiles.Read("compose", "compose.yaml")[0];
        string[] services = [.. compose.Keys("services")], volumes = [.. compose.Keys("volumes")];
        Assert.Equal(3, services.Count(name => name.StartsWith("silo-", StringComparison.Ordinal)));
        foreach (string name in services)
        {
            YamlNode service = compose.Get($"services.{name}");
            Assert.All(service.Keys("depends_on").Concat(service.Get("depends_on") is YamlSequenceNode ? service.Texts("depends_on") : []), other => Assert.Contains(other, services));
            foreach (string volume in service.Texts("volumes"))
            {
                string source = volume.Split(':')[0];
                Assert.True(source[0] == '.' ? Path.Exists(DeployFiles.At("compose", source)) : volumes.Contains(source), volume);
            }
        }

        Assert.True(File.Exists(Repository.At(compose.Text("x-silo.build.dockerfile"))));
        Assert.Equal(("0", ""), (compose.Text("services.push.user"), string.Join(',', compose.Texts("services.push.cap_drop")))); // it writes a lock into a folder of others
    }

    [Fact]
    public void The_image_copies_what_is_there_and_runs_without_root()
    {
        string[] lines = File.ReadAllLines(DeployFiles.At("Dockerfile"));
        foreach (string source in lines.Where(line => line.StartsWith("COPY ", StringComparison.Ordinal) && !line.Contains("--from", StringComparison.Ordinal))
            .SelectMany(line => line.Split(' ')[1..^1]))
        {
            Assert.True(Path.Exists(Repository.At(source)), source);
        }

        Assert.Contains("USER ${APP_UID}", lines);
        Assert.Contains(lines, line => line == "ENTRYPOINT [\"/app/signpost\"]");
    }

    [Fact]
    public void Kubernetes_objects_fit_together()
    {
        Assert.Equal(Manifests, DeployFiles.Read("kubernetes", "kustomization.yaml")[0].Texts("resources"));
        YamlNode labels = Silos.Get("spec.template.metadata.labels");
        Assert.Equal(labels, Silos.Get("spec.selector.matchLabels"));
        Assert.Equal(labels, Objects.Single(o => o.Text("kind") == "PodDisruptionBudget").Get("spec.selector.matchLabels"));
        YamlMappingNode headless = Objects.Single(o => o.Text("kind") == "Service" && o.Text("metadata.name") == Silos.Text("spec.serviceName"));
        Assert.Equal(("None", "true"), (headless.Text("spec.clusterIP"), headless.Text("spec.publishNotReadyAddresses")));

        YamlNode silo = Assert.Single(Silos.List("spec.template.spec.containers"));
        string[] ports = [.. silo.List("ports").Select(port => port.Text("name"))];
        foreach ((string probe, string path) in new[] { ("livenessProbe", "/health"), ("readinessProbe", "/ready") })
        {
            Assert.Equal((path, "HTTPS"), (silo.Text($"{probe}.httpGet.path"), silo.Text($"{probe}.httpGet.scheme")));
            Assert.Contains(silo.Text($"{probe}.httpGet.port"), ports);
        }

        string[] volumes =
        [
            .. Silos.List("spec.template.spec.volumes").Select(volume => volume.Text("name")),
            .. Silos.List("spec.volumeClaimTemplates").Select(claim => claim.Text("metadata.name")),
        ];
        string[] mounts = [.. silo.List("volumeMounts").Select(mount => mount.Text("mountPath"))];
        Assert.Equal(volumes.Order(), silo.List("volumeMounts").Select(mount => mount.Text("name")).Order());
        Assert.All(
            PathPattern().Matches(File.ReadAllText(DeployFiles.At("kubernetes", "cluster.yaml"))).Concat(PathPattern().Matches(File.ReadAllText(DeployFiles.At("kubernetes", "silos.yaml")))),
            path => Assert.Contains(mounts, mount => path.Value.StartsWith(mount, StringComparison.Ordinal)));
        Assert.Equal(("true", "true", "false"), (
            Silos.Text("spec.template.spec.securityContext.runAsNonRoot"), silo.Text("securityContext.readOnlyRootFilesystem"),
            silo.Text("securityContext.allowPrivilegeEscalation")));
    }

    [Fact]
    public void Silos_on_Orleans_differ_in_the_runtime_alone()
    {
        YamlMappingNode compose = DeployFiles.Read("compose", "compose.yaml")[0], orleans = DeployFiles.Read("compose", "orleans.yaml")[0];
        Assert.Equal(compose.Keys("services").Where(name => name.StartsWith("silo-", StringComparison.Ordinal)), orleans.Keys("services"));
        Assert.All(orleans.Keys("services"), name =>
        {
            Assert.Equal([.. compose.Texts("x-silo.command"), "--runtime", "orleans"], orleans.Texts($"services.{name}.command"));
            Assert.Equal(compose.Text("x-silo.build.dockerfile"), orleans.Text($"services.{name}.build.dockerfile"));
            Assert.Equal("true", orleans.Text($"services.{name}.build.args.ORLEANS"));
        });
        string[] image = File.ReadAllLines(DeployFiles.At("Dockerfile"));
        Assert.Contains("ARG ORLEANS=false", image);
        Assert.Contains(image, line => line.Contains("dotnet publish", StringComparison.Ordinal) && line.Contains("-p:Orleans=${ORLEANS}", StringComparison.Ordinal));

        YamlMappingNode kustomization = DeployFiles.Read("kubernetes-orleans", "kustomization.yaml")[0];
        Assert.Equal("../kubernetes", Assert.Single(kustomization.Texts("resources")));
        YamlNode silo = Silos.List("spec.template.spec.containers").Single(), patch = Assert.Single(kustomization.List("patches"));
        Assert.Equal(silo.Text("image"), Assert.Single(kustomization.List("images")).Text("name"));
        Assert.Equal((Silos.Text("kind"), Silos.Text("metadata.name")), (patch.Text("target.kind"), patch.Text("target.name")));
        Assert.Equal(
            ["- op: add", "  path: /spec/template/spec/containers/0/args/-", "  value: --runtime=orleans"], patch.Text("patch").Split('\n', StringSplitOptions.RemoveEmptyEntries));

        string[] unit = File.ReadAllLines(DeployFiles.At("systemd", "signpost.service")), over = File.ReadAllLines(DeployFiles.At("systemd", "orleans.conf"));
        Assert.Contains("Restart=on-failure", unit);
        string[] start = [.. over.SkipWhile(line => line != "[Service]")];
        Assert.Equal(["[Service]", "ExecStart=", $"{unit.Single(line => line.StartsWith("ExecStart=", StringComparison.Ordinal))} --runtime orleans"], start);
    }

    [Fact]
    public void What_deployments_tell_the_program_to_do_it_knows()
    {
        YamlNode silo = Silos.List("spec.template.spec.containers").Single();
        YamlMappingNode compose = DeployFiles.Read("compose", "compose.yaml")[0];
        string unit = File.ReadLines(DeployFiles.At("systemd", "signpost.service")).Single(line => line.StartsWith("ExecStart=", StringComparison.Ordinal));
        string[][] commands =
        [
            [.. silo.Texts("args"), "--runtime=orleans"],
            [.. silo.Texts("lifecycle.preStop.exec.command").Skip(1)],
            [.. compose.Texts("x-silo.command")],
            [.. compose.Texts("services.push.entrypoint").Skip(1)],
            unit.Split(' ')[1..],
            .. DockerCommands(),
        ];
        foreach (string[] command in commands)
        {
            Run help = SignpostProcess.Run(AppContext.BaseDirectory, command[0], "--help");
            Assert.True(help.ExitCode == 0, $"{command[0]}: {help.Error}");
            foreach (string option in command.Where(word => word.StartsWith("--", StringComparison.Ordinal)).Select(word => word.Split('=')[0]))
            {
                Assert.Matches($@"(?m)^\s+{option}\b", help.Output);
            }
        }
    }

    [Fact]
    public void Dashboards_and_alarms_name_metrics_that_the_documents_list()
    {
        string[] known = [.. MetricPattern().Matches(File.ReadAllText(Repository.At("docs", "operations.md"))).Select(match => match.Value).Distinct()];
        using JsonDocument grafana = JsonDocument.Parse(File.ReadAllText(DeployFiles.At("grafana", "signpost.json")));
        JsonElement[] panels = [.. grafana.RootElement.GetProperty("panels").EnumerateArray()];
        Assert.True(panels.Length > 10);
        Assert.Equal(panels.Length, panels.Select(panel => panel.GetProperty("id").GetInt32()).Distinct().Count());
        string used = $"{grafana.RootElement.GetRawText()} {File.ReadAllText(DeployFiles.At("prometheus", "alerts.yaml"))}";
        string[] names = [.. MetricPattern().Matches(used).Select(match => SeriesPattern().Replace(match.Value, "")).Distinct()];
        Assert.True(names.Length > 15);
        Assert.All(names, name => Assert.Contains(name, known));
    }

    [ProgramFact("systemd-analyze", "systemd")]
    public void Systemd_finds_no_fault_in_the_service()
    {
        using var folder = new TestFolder();
        string unit = File.ReadAllText(DeployFiles.At("systemd", "signpost.service")).Replace("/opt/signpost/signpost ", "/bin/true ", StringComparison.Ordinal);
        File.WriteAllText(folder.At("signpost.service"), unit);
        (int code, string said) = Check("systemd-analyze", "verify", folder.At("signpost.service"));
        Assert.True(code == 0 && !said.Contains("signpost.service:", StringComparison.Ordinal), said);
    }

    private static IEnumerable<string[]> DockerCommands() => File.ReadLines(DeployFiles.At("Dockerfile"))
        .Where(line => line.StartsWith("CMD ", StringComparison.Ordinal))
        .Select(line => JsonSerializer.Deserialize<string[]>(line[4..])!);

    private static (int Code, string Said) Check(string program, params string[] words)
    {
        Run run = SignpostProcess.RunOther(program, AppContext.BaseDirectory, words);
        return (run.ExitCode, run.Output + run.Error);
    }

    [GeneratedRegex(@"/(etc/signpost|cache)\b[\w./-]*")]
    private static partial Regex PathPattern();

    [GeneratedRegex(@"\b(signpost_[a-z0-9_]+[a-z0-9]|dotnet_[a-z_]+)\b")]
    private static partial Regex MetricPattern();

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex SeriesPattern();
}
