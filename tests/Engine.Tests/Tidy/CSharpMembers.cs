using System.Text.RegularExpressions;

namespace Signpost.Engine.Tests.Tidy;

/// <summary>A member with a body, with what is inside it: local functions and lambdas count as lines of their member.</summary>
/// <param name="Header">Its declaration, on one line.</param>
/// <param name="Line">Line of the declaration, from 1.</param>
/// <param name="Lines">Lines from the declaration to the end of the body.</param>
public sealed record CSharpMember(string Header, int Line, int Lines);

/// <summary>
/// Finds the members of types by counting braces in code without strings and comments. Enough for a law about length; it
/// does not understand C#.
/// </summary>
public static partial class CSharpMembers
{
    /// <summary>Methods, constructors, operators and properties with a body; not fields, however long their table is.</summary>
    public static IEnumerable<CSharpMember> In(string code)
    {
        int depth = 0, parentheses = 0, start = 0, memberDepth = -1;
        var types = new Stack<int>(); // depth of the inside of each open type or namespace
        for (int i = 0; i < code.Length; i++)
        {
            bool between = memberDepth < 0; // not inside a member's body
            switch (code[i])
            {
                case '(' or '[':
                    parentheses++;
                    break;
                case ')' or ']':
                    parentheses--;
                    break;
                case '{':
                    depth++;
                    if (between && IsContainer(code[start..i]))
                    {
                        types.Push(depth);
                        start = i + 1;
                    }
                    else if (between)
                    {
                        memberDepth = depth;
                    }

                    break;
                case '}':
                    depth--;
                    bool ends = !between && depth < memberDepth && parentheses == 0;
                    if (ends && Member(code, start, i) is { } member)
                    {
                        yield return member;
                    }

                    memberDepth = ends ? -1 : memberDepth;
                    if (between && types.Count > 0)
                    {
                        types.Pop();
                    }

                    start = ends || between ? i + 1 : start;
                    break;
                case ';' when parentheses == 0 && (between || depth < memberDepth): // the latter: => f(() => { ... });
                    if (Member(code, start, i) is { } expression)
                    {
                        yield return expression;
                    }

                    memberDepth = -1;
                    start = i + 1;
                    break;
            }
        }
    }

    private static bool IsContainer(string header) =>
        ContainerWord().Match(WithoutAttributes(header)) is { Success: true } word && !WithoutAttributes(header)[..word.Index].Contains('(');

    private static CSharpMember? Member(string code, int start, int end)
    {
        while (start < end && char.IsWhiteSpace(code[start]))
        {
            start++;
        }

        string whole = WithoutAttributes(code[start..end]);
        int body = FirstOf(whole, "{", "=>");
        if (body < 0 || IsField(whole[..body]))
        {
            return null;
        }

        string header = Spaces().Replace(whole[..body], " ").Trim();
        int first = code.AsSpan(0, start).Count('\n') + 1;
        return new CSharpMember(header, first, code.AsSpan(start, end - start).Count('\n') + 1);
    }

    /// <summary>A field has its equals sign before any parenthesis: <c>int[] x = {</c>, not <c>int F(int k = 1) {</c>.</summary>
    private static bool IsField(string header)
    {
        int equals = header.IndexOf('=');
        int parenthesis = header.IndexOf('(');
        return equals >= 0 && (parenthesis < 0 || equals < parenthesis) && !header.Contains("operator", StringComparison.Ordinal);
    }

    private static int FirstOf(string text, string x, string y)
    {
        int first = text.IndexOf(x, StringComparison.Ordinal), second = text.IndexOf(y, StringComparison.Ordinal);
        return first < 0 ? second : second < 0 ? first : Math.Min(first, second);
    }

    private static string WithoutAttributes(string header) => Attributes().Replace(header, "");

    [GeneratedRegex(@"\b(namespace|class|struct|interface|enum|record)\b")]
    private static partial Regex ContainerWord();

    [GeneratedRegex(@"^(\s*\[[^\]]*\])+")]
    private static partial Regex Attributes();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
