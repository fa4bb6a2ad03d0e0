namespace Signpost.Engine.Tests.Tidy;

/// <summary>Every source file keeps the law of <see cref="StyleRules"/>, and every rule is seen to catch what it is for.</summary>
public class StyleTests
{
    private static readonly TextFile[] Sources = [.. new[] { "src", "tests", "bench" }.SelectMany(folder => Repository.Files(folder, "*.cs"))];
    private static readonly TextFile[] Engine = [.. Sources.Where(file => file.Path.StartsWith("src/Engine/", StringComparison.Ordinal))];

    private static readonly string[] TextTypes =
    [
        ".cs", ".csproj", ".props", ".targets", ".sln", ".md", ".json", ".yaml", ".yml", ".sh", ".py", ".h", ".cpp", ".html", ".js", ".css", ".txt", ".config", "",
    ];

    [Fact]
    public void The_sources_are_found()
    {
        Assert.Contains(Engine, file => file.Path == "src/Engine/Base/Check.cs");
        Assert.Contains(Sources, file => file.Path == "tests/Engine.Tests/Tidy/StyleTests.cs");
        Assert.DoesNotContain(Sources, file => file.Path.Contains("/obj/", StringComparison.Ordinal));
    }

    [Fact]
    public void Files_are_short() => Keep(Sources, StyleRules.LongFile);

    [Fact]
    public void Methods_are_short() => Keep(Sources, StyleRules.LongMethods);

    [Fact]
    public void The_engine_makes_none_of_the_banned_calls() => Keep(Engine, StyleRules.BannedCalls);

    [Fact]
    public void Nothing_is_left_unfinished() => Keep(Sources, StyleRules.Unfinished);

    [Fact]
    public void Folders_of_the_engine_use_only_folders_before_them() => Keep(Engine, StyleRules.FolderOrder);

    [Fact]
    public void No_file_names_a_package_feed_or_a_folder_of_a_machine() =>
        Keep(Repository.Files(".", "*").Where(file => TextTypes.Contains(Path.GetExtension(file.Path))), StyleRules.ForeignPlaces);

    [Fact]
    public void Namespaces_are_the_paths_of_their_folders()
    {
        foreach (ProjectFile project in ProjectFile.All)
        {
            Keep(Repository.Files(project.Folder, "*.cs"), file => StyleRules.NamespaceOfFolder(file, project.Folder, project.RootNamespace));
        }
    }

    [Theory]
    [InlineData(500, false)]
    [InlineData(501, true)]
    public void A_file_is_long_from_501_lines(int lines, bool caught) =>
        Assert.Equal(caught, StyleRules.LongFile(new TextFile("a.cs", string.Concat(Enumerable.Repeat("x\n", lines)))).Any());

    [Theory]
    [InlineData(70, false)]
    [InlineData(71, true)]
    public void A_method_is_long_from_71_lines(int lines, bool caught)
    {
        string body = string.Concat(Enumerable.Repeat("        if (x) { y(\"}\"); } // }\n", lines - 3));
        var file = new TextFile("a.cs", $"class A\n{{\n    public void M()\n    {{\n{body}    }}\n\n    int Next => 1;\n}}\n");

        Assert.Equal(caught ? [$"a.cs:3: {lines} lines, at most 70: public void M()"] : [], StyleRules.LongMethods(file));
    }

    [Theory]
    [InlineData("var r = new Random(1);", true)]
    [InlineData("int r = Random.Shared.Next();", true)]
    [InlineData("var t = DateTime.Now;", true)]
    [InlineData("var t = DateTime.UtcNow;", true)]
    [InlineData("var t = DateTimeOffset.UtcNow;", true)]
    [InlineData("_ = Task.Run(Work);", true)]
    [InlineData("Console.Write(1);", true)]
    [InlineData("string s = $\"{DateTime.Now}\";", true)]
    [InlineData("string s = \"Console.Write\"; // Task.Run(x)", false)]
    public void A_banned_call_is_caught_in_code_and_not_in_words(string line, bool caught) =>
        Assert.Equal(caught, StyleRules.BannedCalls(new TextFile("a.cs", line)).Any());

    [Theory]
    [InlineData("// TO" + "DO later")]
    [InlineData("/* FIX" + "ME */")]
    [InlineData("throw new NotImplemented" + "Exception();")]
    public void Unfinished_work_is_caught(string line) => Assert.Single(StyleRules.Unfinished(new TextFile("a.cs", line)));

    [Theory]
    [InlineData("see https:/" + "/api.nuget.org/v3/index.json", true)]
    [InlineData("see https:/" + "/registry.npmjs.org", true)]
    [InlineData("cd /" + "work/x", true)]
    [InlineData("\"/" + "root/x\"", true)]
    [InlineData("see https:/" + "/dotnet.microsoft.com/download", false)]
    [InlineData("docs/" + "work/x and $home/" + "root/y", false)]
    public void A_foreign_place_is_caught(string line, bool caught) =>
        Assert.Equal(caught, StyleRules.ForeignPlaces(new TextFile("a.md", line)).Any());

    [Theory]
    [InlineData("src/P/A/B/C.cs", "namespace Root.A.B;", false)]
    [InlineData("src/P/C.cs", "namespace Root;", false)]
    [InlineData("src/P/Program.cs", "return 0;", false)]
    [InlineData("src/P/A/B/C.cs", "namespace Root.A;", true)]
    [InlineData("src/P/A/C.cs", "class C;", true)]
    [InlineData("src/P/A/C.cs", "// namespace Root.A;", true)]
    public void A_namespace_other_than_the_folder_is_caught(string path, string text, bool caught) =>
        Assert.Equal(caught, StyleRules.NamespaceOfFolder(new TextFile(path, text), "src/P", "Root").Any());

    [Theory]
    [InlineData("src/Engine/Graphs/A.cs", "using Signpost.Engine.Kernels;", false)]
    [InlineData("src/Engine/Graphs/A.cs", "using Signpost.Engine.Search;", true)]
    [InlineData("src/Engine/Base/A.cs", "var x = Signpost.Engine.Vectors.Metric.L2;", true)]
    [InlineData("src/Engine/Base/A.cs", "// Signpost.Engine.Vectors is above", false)]
    [InlineData("src/Engine/Other/A.cs", "", true)]
    public void A_use_of_a_later_folder_is_caught(string path, string text, bool caught) =>
        Assert.Equal(caught, StyleRules.FolderOrder(new TextFile(path, text)).Any());

    private static void Keep(IEnumerable<TextFile> files, Func<TextFile, IEnumerable<string>> rule) => Nothing.In(files.SelectMany(rule));
}
