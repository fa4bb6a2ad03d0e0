using Microsoft.Win32.SafeHandles;
using Signpost.Engine.Vectors;

namespace Signpost.Engine.Tests.Vectors;

/// <summary>Files beyond 2^31 elements; the file is sparse and takes a few kilobytes of disk.</summary>
public sealed class BigFileTests : IDisposable
{
    private const int Dim = 128;

    private readonly TemporaryFolder _folder = new();

    [SparseFileTheory]
    [InlineData(".u8bin", 17_000_000)]
    [InlineData(".fbin", 17_000_000)]
    public void The_last_row_beyond_2_to_the_31_elements_is_read(string extension, uint count)
    {
        string path = _folder.File("big" + extension);
        int rowBytes = extension == ".fbin" ? 4 * Dim : Dim;
        long length = 8 + ((long)count * rowBytes);
        byte[] last = [.. Enumerable.Range(1, rowBytes).Select(i => (byte)(i % 100))];
        using (SafeFileHandle handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write))
        {
            RandomAccess.SetLength(handle, length);
            RandomAccess.Write(handle, Samples.Ints((int)count, Dim), 0);
            RandomAccess.Write(handle, last, length - rowBytes);
        }

        using VectorBlock block = VectorFile.Open(path);
        Assert.True(block.Count * block.Dim > int.MaxValue);
        Assert.Equal(last, block.RowSpan(count - 1).ToArray());
        Assert.Equal(new byte[rowBytes], block.RowSpan(count - 2).ToArray());
        Assert.Equal(last, block.Slice(count - 1, 1).RowSpan(0).ToArray());
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>Skipped where the disk of the temporary folder has no sparse files of this size.</summary>
    private sealed class SparseFileTheoryAttribute : TheoryAttribute
    {
        private static readonly string? Reason = Probe();

        public SparseFileTheoryAttribute() => Skip = Reason;

        private static string? Probe()
        {
            if (OperatingSystem.IsWindows())
            {
                return "files of the temporary folder are not sparse on Windows";
            }

            string path = Path.GetTempFileName();
            try
            {
                using SafeFileHandle handle = File.OpenHandle(path, FileMode.Open, FileAccess.Write);
                RandomAccess.SetLength(handle, 10L << 30);
                return null;
            }
            catch (IOException e)
            {
                return $"the temporary folder takes no sparse file of 10 GB: {e.Message}";
            }
            finally
            {
                File.Delete(path);
            }
        }
    }
}
