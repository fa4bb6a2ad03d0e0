namespace Signpost.Engine.Build;

/// <summary>Selection without sorting (Hoare 1961), pivot by median of three.</summary>
internal static class QuickSelect
{
    /// <summary>Moves the <paramref name="count"/> smallest keys to the front, in no order.</summary>
    public static void MoveSmallestToFront(Span<ulong> keys, int count)
    {
        int low = 0;
        int high = keys.Length - 1;
        while (low < high)
        {
            (int left, int right) = Partition(keys, low, high);
            if (count <= right)
            {
                high = right;
            }
            else if (count >= left)
            {
                low = left;
            }
            else
            {
                return;
            }
        }
    }

    /// <summary>Keys up to the right one returned are at most the pivot, those from the left one returned at least; right &lt; left.</summary>
    private static (int Left, int Right) Partition(Span<ulong> keys, int left, int right)
    {
        ulong a = keys[left], b = keys[(left + right) >>> 1], c = keys[right];
        ulong pivot = Math.Max(Math.Min(a, b), Math.Min(Math.Max(a, b), c));
        while (left <= right)
        {
            while (keys[left] < pivot)
            {
                left++;
            }

            while (keys[right] > pivot)
            {
                right--;
            }

            if (left <= right)
            {
                (keys[left], keys[right]) = (keys[right], keys[left]);
                left++;
                right--;
            }
        }

        return (left, right);
    }
}
