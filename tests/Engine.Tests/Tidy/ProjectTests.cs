using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Signpost.Engine.Tests.Tidy;

/// <summary>Who may know whom among the projects, and which packages there are.</summary>
public partial class ProjectTests
{
    private static readonly Dictionary<string, string[]> MayReference = new()
    {
        ["src/Engine"] = [],
        ["src/Client"] = [],
        ["src/Grains"] = ["src/Engine", "src/Client"],
        ["src/Silo"] = ["src/Engine", "src/Grains", "src/Client"],
    };

    [Fact]
    public void Projects_reference_only_the_layers_below_them() => Nothing.In(ProjectFile.All.SelectMany(ForbiddenReferences));

    [Theory]
    [InlineData("src/Engine", "../Silo/Silo.csproj", true)]
    [InlineData("src/Client", "../Engine/Engine.csproj", true)]
    [InlineData("src/Unknown", "../Engine/Engine.csproj", true)]
    [InlineData("bench/Kernels", "../../src/Silo/Silo.csproj", true)]
    [InlineData("bench/Kernels", "../../src/Engine/Engine.csproj", false)]
    [InlineData("src/Silo", "..\\Engine\\Engine.csproj", false)]
    [InlineData("tests/Silo.Tests", "../../src/Silo/Silo.csproj", false)]
    public void A_reference_against_the_layers_is_caught(string folder, string reference, bool caught)
    {
        var xml = XElement.Parse($"<Project><ItemGroup><ProjectReference Include=\"{reference}\" /></ItemGroup></Project>");

        Assert.Equal(caught, ForbiddenReferences(new ProjectFile(folder, xml)).Any());
    }

    [Fact]
    public void Every_package_has_one_exact_version_and_a_reason() =>
        Nothing.In(LoosePackages(
            XElement.Parse(Repository.FileAt("Directory.Packages.props").Text),
            Repository.FileAt("docs/decisions/0001-dependencies.md").Text));

    [Theory]
    [InlineData("[1.2.3]", "`A.B`: for x", false)]
    [InlineData("[1.2.3.4]", "`A.B`: for x", false)]
    [InlineData("1.2.3", "`A.B`: for x", true)]
    [InlineData("[1.2.3,2.0)", "`A.B`: for x", true)]
    [InlineData("[1.2.*]", "`A.B`: for x", true)]
    [InlineData("[1.2.3]", "`A.B.C`: for x", true)]
    public void A_loose_or_unexplained_package_is_caught(string version, string reasons, bool caught)
    {
        var packages = XElement.Parse($"<Project><ItemGroup><PackageVersion Include=\"A.B\" Version=\"{version}\" /></ItemGroup></Project>");

        Assert.Equal(caught, LoosePackages(packages, reasons).Any());
    }

    [Fact]
    public void Versions_stand_in_one_place_only() =>
        Assert.DoesNotContain(ProjectFile.All, project => project.Xml.Descendants("PackageReference").Any(HasVersion));

    [Fact]
    public void Every_project_has_a_lock_file() =>
        Assert.All(ProjectFile.All, project => Assert.True(File.Exists(Path.Combine(Repository.Root, project.Folder, "packages.lock.json")), project.Folder));

    private static bool HasVersion(XElement reference) => reference.Attribute("Version") is not null || reference.Element("Version") is not null;

    private static IEnumerable<string> ForbiddenReferences(ProjectFile project)
    {
        bool tests = project.Folder.StartsWith("tests/", StringComparison.Ordinal);
        bool bench = project.Folder.StartsWith("bench/", StringComparison.Ordinal);
        return project.References
            .Where(used => !tests && !(bench && used != "src/Silo") && !MayReference.GetValueOrDefault(project.Folder, []).Contains(used))
            .Select(used => $"{project.Folder} references {used}");
    }

    private static IEnumerable<string> LoosePackages(XElement packages, string reasons)
    {
        foreach (XElement package in packages.Descendants("PackageVersion"))
        {
            string name = package.Attribute("Include")!.Value, version = package.Attribute("Version")!.Value;
            if (!ExactVersion().IsMatch(version))
            {
                yield return $"{name}: {version} is not one exact version like [1.2.3]";
            }

            if (!reasons.Contains($"`{name}`", StringComparison.Ordinal))
            {
                yield return $"{name}: docs/decisions/0001-dependencies.md does not say why it is here";
            }
        }
    }

    [GeneratedRegex(@"^\[\d+(\.\d+){2,3}\]$")]
    private static partial Regex ExactVersion();
}
