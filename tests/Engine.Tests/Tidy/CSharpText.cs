namespace Signpost.Engine.Tests.Tidy;

/// <summary>
/// Blanks what is not code in C# text: comments, preprocessor lines, characters and strings in all their forms. The holes of
/// interpolated strings are code and stay. Every line break stays, so that positions and line numbers are those of the source.
/// </summary>
public static class CSharpText
{
    /// <summary>The text with spaces in place of what is not code.</summary>
    public static string WithoutStringsAndComments(string text)
    {
        var scanner = new Scanner(text);
        scanner.Code(untilBrace: false);
        return new string(scanner.Output);
    }

    private sealed class Scanner(string text)
    {
        private int _at;

        public char[] Output { get; } = text.ToCharArray();

        /// <summary>Reads code to the end, or to the brace that closes the hole of an interpolated string.</summary>
        public void Code(bool untilBrace)
        {
            for (int depth = 0; _at < text.Length;)
            {
                char c = text[_at];
                if (untilBrace && c == '}' && depth-- == 0)
                {
                    return;
                }

                depth += c == '{' ? 1 : 0;
                if (Starts("//") || (c == '#' && OnlySpaceBefore()))
                {
                    BlankTo(EndOf("\n", _at, 0));
                }
                else if (Starts("/*"))
                {
                    BlankTo(EndOf("*/", _at + 2, 2));
                }
                else if (c == '\'')
                {
                    Character();
                }
                else if (c is '"' or '$' or '@' && StringLength() is var prefix and >= 0)
                {
                    String(prefix);
                }
                else
                {
                    _at++;
                }
            }
        }

        /// <summary>Number of $ and @ before a quote at this place; -1 where no string starts here.</summary>
        private int StringLength()
        {
            int end = _at;
            while (end < text.Length && text[end] is '$' or '@')
            {
                end++;
            }

            return end < text.Length && text[end] == '"' ? end - _at : -1;
        }

        private void String(int prefix)
        {
            int holes = text.AsSpan(_at, prefix).Count('$');
            bool verbatim = text.AsSpan(_at, prefix).Contains('@');
            BlankTo(_at + prefix);
            int quotes = Run('"');
            if (quotes == 2 || (verbatim && quotes > 2 && quotes % 2 == 0))
            {
                BlankTo(_at + quotes); // empty, or only doubled quotes
                return;
            }

            bool raw = quotes >= 3 && !verbatim;
            BlankTo(_at + (raw ? quotes : 1));
            while (_at < text.Length)
            {
                int run = Run('"');
                if (run > 0 && (raw ? run >= quotes : !verbatim || run % 2 == 1))
                {
                    BlankTo(_at + (raw || verbatim ? run : 1));
                    return;
                }

                Piece(run, raw, verbatim, holes);
            }
        }

        /// <summary>One step inside a string: quotes that do not end it, an escape, a hole, or a character.</summary>
        private void Piece(int quotes, bool raw, bool verbatim, int holes)
        {
            int braces = holes == 0 ? 0 : Run('{');
            bool hole = raw ? braces >= holes : braces % 2 == 1;
            if (braces > 0)
            {
                BlankTo(_at + braces);
                if (hole)
                {
                    Code(untilBrace: true);
                    BlankTo(_at + Math.Min(raw ? holes : 1, text.Length - _at));
                }
            }
            else
            {
                bool escape = !raw && !verbatim && text[_at] == '\\';
                BlankTo(_at + Math.Max(quotes, escape ? 2 : 1));
            }
        }

        private void Character()
        {
            int end = _at + 1;
            while (end < text.Length && text[end] != '\'' && text[end] != '\n')
            {
                end += text[end] == '\\' ? 2 : 1;
            }

            BlankTo(end + 1);
        }

        private bool Starts(string word) => string.CompareOrdinal(text, _at, word, 0, word.Length) == 0;

        private int Run(char c)
        {
            int end = _at;
            while (end < text.Length && text[end] == c)
            {
                end++;
            }

            return end - _at;
        }

        private bool OnlySpaceBefore()
        {
            int start = text.LastIndexOf('\n', Math.Max(_at - 1, 0)) + 1;
            return start >= _at || text.AsSpan(start, _at - start).IsWhiteSpace();
        }

        private int EndOf(string word, int from, int length)
        {
            int found = text.IndexOf(word, Math.Min(from, text.Length), StringComparison.Ordinal);
            return found < 0 ? text.Length : found + length;
        }

        private void BlankTo(int end)
        {
            for (end = Math.Min(end, text.Length); _at < end; _at++)
            {
                Output[_at] = text[_at] is '\n' or '\r' ? text[_at] : ' ';
            }
        }
    }
}
