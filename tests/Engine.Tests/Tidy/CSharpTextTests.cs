namespace Signpost.Engine.Tests.Tidy;

/// <summary>The brace counter sees code and nothing else.</summary>
public class CSharpTextTests
{
    private const string Q = "\"";
    private const string QQQ = "\"\"\"";

    [Theory]
    [InlineData("a // }\nb", "a\nb")]
    [InlineData("a /* }\n */ b", "a\nb")]
    [InlineData("#if }\na", "\na")]
    [InlineData("'}' a '\\'' b", "a b")]
    [InlineData(Q + "}\\" + Q + "}" + Q + " a", "a")]
    [InlineData("@" + Q + "}\\" + Q + " a", "a")]
    [InlineData("@" + Q + "}" + Q + Q + "}" + Q + " a", "a")]
    [InlineData("$" + Q + "}}{{ {b} {c(" + Q + "}" + Q + ")}" + Q + " a", "b c( ) a")]
    [InlineData("$" + Q + "{(x ? $" + Q + "{y}" + Q + " : " + Q + Q + ")}" + Q + " a", "(x ? y : ) a")]
    [InlineData(QQQ + " } " + Q + " " + QQQ + " a", "a")]
    [InlineData("$$" + QQQ + "{ {{b}} }" + QQQ + " a", "b a")]
    [InlineData("@class a", "@class a")]
    public void Only_code_is_left(string text, string code) =>
        Assert.Equal(code, string.Join('\n', CSharpText.WithoutStringsAndComments(text).Split('\n').Select(Squeeze)));

    [Fact]
    public void Every_place_keeps_its_position()
    {
        foreach (TextFile file in Repository.Files("tests", "*.cs"))
        {
            string code = file.Code;
            Assert.Equal(file.Text.Length, code.Length);
            Assert.All(Enumerable.Range(0, code.Length), i => Assert.True(code[i] == file.Text[i] || (code[i] == ' ' && file.Text[i] != '\n')));
        }
    }

    [Fact]
    public void Braces_of_every_source_are_balanced()
    {
        foreach (TextFile file in Repository.Files("src", "*.cs").Concat(Repository.Files("tests", "*.cs")))
        {
            Assert.True(file.Code.Count(c => c == '{') == file.Code.Count(c => c == '}'), file.Path);
        }
    }

    [Fact]
    public void Members_are_methods_properties_and_constructors_with_their_lines()
    {
        const string Code = """
            using X;
            namespace N;
            [A(1)]
            public sealed record R<T>(int P) : IR where T : struct
            {
                private static readonly int[] Table = { 1,
                    2 };
                int _a = 1, _b;

                public R() : this(1) { }

                [Fact]
                public int M<U>(int k = 1) where U : class
                {
                    void Local() { }
                    return Run(() => { k++; });
                }

                int E => Run(() =>
                {
                    return 1;
                });

                int S => 1 switch
                {
                    _ => 2,
                };

                int Auto { get; set; } = 5;
                public static bool operator ==(R x, R y) => true;

                enum Kind { A, B }

                class Inner
                {
                    void Deep()
                    {
                    }
                }
            }
            """;

        Assert.Equal(
            ["public R() : this(1) 10+1", "public int M<U>(int k = 1) where U : class 12+6", "int E 19+4", "int S 24+4", "int Auto 29+1", "public static bool operator ==(R x, R y) 30+1", "void Deep() 36+3"],
            CSharpMembers.In(Code).Select(member => $"{member.Header} {member.Line}+{member.Lines}"));
    }

    private static string Squeeze(string line) => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
}
