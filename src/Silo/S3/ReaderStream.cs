using Signpost.Engine.Storage;

namespace Signpost.Silo.S3;

/// <summary>[<paramref name="from"/>, <paramref name="from"/> + <paramref name="length"/>) of a file, as a stream that can be read again.</summary>
internal sealed class ReaderStream(IFileReader file, long from, long length, CancellationToken cancel) : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position { get; set; }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        cancel.ThrowIfCancellationRequested();
        int wanted = (int)Math.Min(buffer.Length, length - Position);
        if (wanted <= 0)
        {
            return 0;
        }

        int got = file.Read(from + Position, buffer[..wanted]);
        Position += got;
        return got;
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(Read(buffer.Span));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        Task.FromResult(Read(buffer.AsSpan(offset, count)));

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => Position + offset,
        SeekOrigin.End => length + offset,
        _ => throw new ArgumentOutOfRangeException(nameof(origin)),
    };

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
