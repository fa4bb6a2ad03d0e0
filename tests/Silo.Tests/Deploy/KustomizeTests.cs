using System.Xml.Linq;
using Signpost.Silo.Tests.Support;
using YamlDotNet.RepresentationModel;

namespace Signpost.Silo.Tests.Deploy;

/// <summary>The manifests of Kubernetes as kustomize puts them together.</summary>
public sealed class KustomizeTests
{
    private static IEnumerable<string> Folders =>
        Directory.EnumerateFiles(DeployFiles.At(), "kustomization.yaml", SearchOption.AllDirectories).Select(file => Path.GetDirectoryName(file)!);

    [Fact]
    public void No_kustomization_refers_to_a_folder_at_or_above_itself()
    {
        Assert.Equal(2, Folders.Count());
        foreach (string folder in Folders)
        {
            YamlMappingNode kustomization = DeployFiles.Read(Path.GetRelativePath(DeployFiles.At(), folder), "kustomization.yaml").Single();
            Assert.All(kustomization.Texts("resources"), resource =>
            {
                Assert.True(Path.Exists(Path.Combine(folder, resource)), resource);
                Assert.False(IsAtOrAbove(folder, resource), $"{folder}: {resource}");
            });
        }

        Assert.All((string[])["..", ".", "../..", "../kubernetes/"], resource => Assert.True(IsAtOrAbove(DeployFiles.At("kubernetes"), resource), resource));
    }

    [ProgramFact("kubectl", "kubernetes-client, 1.21 or later")]
    public void Kustomize_lays_what_is_different_on_Orleans_over_the_same_silos()
    {
        YamlMappingNode plain = Silos(DeployFiles.At("kubernetes")), orleans = Silos(DeployFiles.At("kubernetes-orleans"));
        YamlNode container = orleans.List("spec.template.spec.containers").Single();
        Assert.Equal([.. plain.List("spec.template.spec.containers").Single().Texts("args"), "--runtime=orleans"], container.Texts("args"));
        Assert.Equal($"signpost:{Version}", ImageOf(plain)); // a tag other than latest is not fetched where it is loaded already
        Assert.Equal($"signpost-orleans:{Version}", ImageOf(orleans));
    }

    [ProgramFact("kubectl", "kubernetes-client, 1.21 or later")]
    public void A_registry_is_named_as_the_document_says()
    {
        string block = File.ReadAllText(DeployFiles.At("README.md")).Split("```yaml\n")[1].Split("```")[0];
        Assert.Equal("../deploy/kubernetes", DeployFiles.Parse(block)[0].Texts("resources").Single());
        foreach ((string folder, string image) in new[] { ("kubernetes", "signpost"), ("kubernetes-orleans", "signpost-orleans") })
        {
            using var own = new TestFolder();
            File.WriteAllText(
                own.At("kustomization.yaml"),
                block.Replace("[../deploy/kubernetes]", $"[{Path.GetRelativePath(own, DeployFiles.At(folder))}]", StringComparison.Ordinal)
                    .Replace("{ name: signpost,", $"{{ name: {image},", StringComparison.Ordinal));
            Assert.Equal($"registry.example/vectors/signpost:{Version}", ImageOf(Silos(own)));
        }
    }

    private static string Version => XDocument.Load(Repository.At("Directory.Build.props")).Descendants("Version").Single().Value;

    private static string ImageOf(YamlMappingNode silos) => silos.List("spec.template.spec.containers").Single().Text("image");

    private static bool IsAtOrAbove(string folder, string resource) =>
        (folder + Path.DirectorySeparatorChar).StartsWith(Path.TrimEndingDirectorySeparator(Path.GetFullPath(resource, folder)) + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    /// <summary>The silos as they are applied.</summary>
    private static YamlMappingNode Silos(string folder)
    {
        Run run = SignpostProcess.RunOther("kubectl", AppContext.BaseDirectory, "kustomize", folder);
        Assert.True(run.ExitCode == 0, run.Error);
        return DeployFiles.Parse(run.Output).Single(o => o.Text("kind") == "StatefulSet" && o.Text("metadata.name") == "signpost");
    }
}
