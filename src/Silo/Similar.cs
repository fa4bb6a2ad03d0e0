namespace Signpost.Silo;

/// <summary>Guesses what a mistyped word was meant to be.</summary>
internal static class Similar
{
    /// <summary>Edits after which a guess would puzzle more than help.</summary>
    private const int MostEdits = 3;

    /// <summary>The nearest of <paramref name="known"/> within a few edits, or null.</summary>
    public static string? To(string word, IEnumerable<string> known) =>
        known.Select(k => (Word: k, Edits: Edits(word, k)))
            .Where(k => k.Edits <= Math.Min(MostEdits, k.Word.Length / 2))
            .OrderBy(k => k.Edits)
            .Select(k => k.Word)
            .FirstOrDefault();

    /// <summary>Least insertions, deletions and replacements that turn one word into the other (Levenshtein 1966).</summary>
    private static int Edits(string from, string to)
    {
        int[] row = [.. Enumerable.Range(0, to.Length + 1)];
        for (int i = 1; i <= from.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= to.Length; j++)
            {
                int replaced = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, 1 + Math.Min(row[j], row[j - 1]));
            }
        }

        return row[to.Length];
    }
}
