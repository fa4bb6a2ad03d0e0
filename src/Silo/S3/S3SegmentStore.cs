using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Signpost.Engine.Base;
using Signpost.Engine.Storage;

namespace Signpost.Silo.S3;

/// <summary>Collections in a bucket of S3 or of a server that speaks its protocol: PREFIX/COLLECTION/FILE is an object.</summary>
/// <remarks>
/// Objects appear whole, by the protocol's own promise; a large file is put in parts, which are nothing until the last call joins them. What
/// a killed process leaves of parts is for a lifecycle rule of the bucket to remove. Its calls wait for the network on the caller's thread,
/// which is none of the pool's.
/// </remarks>
internal sealed class S3SegmentStore : ISegmentStore, IDisposable
{
    /// <summary>Name of the object on which is tried what the server can; no collection has it.</summary>
    private const string ConditionsKey = "_conditional-writes";

    private readonly S3Options _options;
    private readonly AmazonS3Client _client;
    private readonly S3Conditions _conditions;

    /// <summary>Connects when it is first asked. <see cref="FileNotFoundException"/> where the credentials' file is not there.</summary>
    public S3SegmentStore(S3Options options)
    {
        _options = options;
        _client = options.Connect();
        _conditions = new S3Conditions(this, $"{KeyPrefix}{ConditionsKey}");
    }

    /// <inheritdoc/>
    public string Name => $"{S3Options.Scheme}{_options.Bucket}" + (_options.Prefix.Length > 0 ? $"/{_options.Prefix}" : "");

    private string KeyPrefix => _options.Prefix.Length > 0 ? _options.Prefix + "/" : "";

    /// <inheritdoc/>
    public IReadOnlyList<string> Collections(CancellationToken cancel)
    {
        var request = new ListObjectsV2Request { BucketName = _options.Bucket, Prefix = KeyPrefix, Delimiter = "/" };
        var names = new List<string>();
        do
        {
            ListObjectsV2Response page = Ask("", cancel, token => _client.ListObjectsV2Async(request, token));
            names.AddRange((page.CommonPrefixes ?? []).Select(prefix => prefix[KeyPrefix.Length..].TrimEnd('/')));
            request.ContinuationToken = page.NextContinuationToken;
        }
        while (request.ContinuationToken is not null);

        return [.. names.Where(name => CollectionManifest.IsName(name) && LengthOf(name, CollectionManifest.FileName, cancel) is not null).Order(StringComparer.Ordinal)];
    }

    /// <inheritdoc/>
    public byte[]? ReadManifest(string collection, CancellationToken cancel) => Read(KeyOf(collection, CollectionManifest.FileName), cancel).Content;

    /// <inheritdoc/>
    public bool TryReplaceManifest(string collection, byte[]? before, byte[] manifest, CancellationToken cancel)
    {
        string key = KeyOf(collection, CollectionManifest.FileName);
        (byte[]? there, string? tag) = Read(key, cancel);
        if (!ManifestFile.IsSame(there, before))
        {
            return false;
        }

        if (!_conditions.Hold(cancel))
        {
            PutObject(key, new MemoryStream(manifest), cancel);
            return true;
        }

        // What looks refused may be a first attempt that arrived, whose answer was lost on the way.
        return TryPut(key, manifest, tag, cancel) || ManifestFile.IsSame(Read(key, cancel).Content, manifest);
    }

    /// <summary>
    /// Whether the server compares and replaces in one step. Where it does not, two writers that are kept apart by nothing else may both succeed, and what
    /// one of them wrote is lost.
    /// </summary>
    public bool ReplacesInOneStep(CancellationToken cancel) => _conditions.Hold(cancel);

    /// <inheritdoc/>
    public long? LengthOf(string collection, string file, CancellationToken cancel)
    {
        string key = KeyOf(collection, file);
        return Find(key, cancel, token => _client.GetObjectMetadataAsync(_options.Bucket, key, token))?.ContentLength;
    }

    /// <inheritdoc/>
    public void Get(string collection, string file, IFileWriter target, CancellationToken cancel)
    {
        if (!new S3Download(this, KeyOf(collection, file), target).TryRun(cancel))
        {
            throw new FileNotFoundException($"{Name}/{collection}/{file} is not there", file);
        }
    }

    /// <inheritdoc/>
    public void Put(string collection, string file, IFileReader source, CancellationToken cancel)
    {
        Check.That(file != CollectionManifest.FileName);
        string key = KeyOf(collection, file);
        if (source.Length <= _options.PartBytes)
        {
            PutObject(key, new ReaderStream(source, 0, source.Length, cancel), cancel);
        }
        else
        {
            PutInParts(key, source, cancel);
        }
    }

    /// <inheritdoc/>
    public void Delete(string collection, string file, CancellationToken cancel)
    {
        string key = KeyOf(collection, file);
        Find(key, cancel, token => _client.DeleteObjectAsync(_options.Bucket, key, token));
    }

    /// <inheritdoc/>
    public string? FolderOf(string collection) => null;

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    /// <summary>Asks for an object from byte <paramref name="from"/> on, which is still that of <paramref name="tag"/>; null where there is none.</summary>
    internal GetObjectResponse? Open(string key, long from, string? tag, CancellationToken cancel)
    {
        var request = new GetObjectRequest { BucketName = _options.Bucket, Key = key, EtagToMatch = tag };
        if (from > 0)
        {
            request.ByteRange = new ByteRange($"bytes={from}-");
        }

        return Find(key, cancel, token => _client.GetObjectAsync(request, token));
    }

    /// <summary>Longest wait for the next bytes of an object.</summary>
    internal TimeSpan Stall => _options.Stall;

    /// <summary>The failure of a transfer, in words.</summary>
    internal IOException Failed(string key, Exception why) => new($"{S3Options.Scheme}{_options.Bucket}/{key}: {why.Message.TrimEnd('.')}", why);

    /// <summary>Puts an object if the one that is there has the tag; null: if there is none. False where that is not so.</summary>
    internal bool TryPut(string key, byte[] content, string? tag, CancellationToken cancel)
    {
        var request = new PutObjectRequest
        {
            BucketName = _options.Bucket,
            Key = key,
            InputStream = new MemoryStream(content),
            UseChunkEncoding = false,
            IfMatch = tag,
            IfNoneMatch = tag is null ? "*" : null,
        };
        try
        {
            return Find(key, cancel, token => _client.PutObjectAsync(request, token)) is not null; // 404: the one of this tag is gone
        }
        catch (IOException e) when (e.InnerException is AmazonServiceException { StatusCode: HttpStatusCode.PreconditionFailed or HttpStatusCode.Conflict })
        {
            return false;
        }
    }

    private (byte[]? Content, string? Tag) Read(string key, CancellationToken cancel)
    {
        using var target = new MemoryFile();
        var download = new S3Download(this, key, target);
        return download.TryRun(cancel) ? (target.ToArray(), download.Tag) : (null, null);
    }

    private string KeyOf(string collection, string file)
    {
        Check.That(CollectionManifest.IsName(collection) && CollectionManifest.IsName(file));
        return $"{KeyPrefix}{collection}/{file}";
    }

    private void PutObject(string key, Stream content, CancellationToken cancel) => Ask(key, cancel, token => _client.PutObjectAsync(
        new PutObjectRequest { BucketName = _options.Bucket, Key = key, InputStream = content, UseChunkEncoding = false }, token));

    private void PutInParts(string key, IFileReader source, CancellationToken cancel)
    {
        string upload = Ask(key, cancel, token => _client.InitiateMultipartUploadAsync(_options.Bucket, key, token)).UploadId;
        try
        {
            var parts = new List<PartETag>();
            for (long from = 0; from < source.Length; from += _options.PartBytes)
            {
                int number = parts.Count + 1;
                long length = Math.Min(_options.PartBytes, source.Length - from);
                var request = new UploadPartRequest
                {
                    BucketName = _options.Bucket,
                    Key = key,
                    UploadId = upload,
                    PartNumber = number,
                    PartSize = length,
                    InputStream = new ReaderStream(source, from, length, cancel),
                    UseChunkEncoding = false,
                };
                parts.Add(new PartETag(number, Ask(key, cancel, token => _client.UploadPartAsync(request, token)).ETag));
            }

            var join = new CompleteMultipartUploadRequest { BucketName = _options.Bucket, Key = key, UploadId = upload, PartETags = parts };
            Ask(key, cancel, token => _client.CompleteMultipartUploadAsync(join, token));
        }
        catch
        {
            Abort(key, upload);
            throw;
        }
    }

    private void Abort(string key, string upload)
    {
        try
        {
            _client.AbortMultipartUploadAsync(_options.Bucket, key, upload).GetAwaiter().GetResult();
        }
        catch (Exception e) when (IsOfNetwork(e))
        {
            // The first failure is the one to report.
        }
    }

    /// <summary>As <see cref="Ask"/>; null where the server says that there is no such object.</summary>
    private T? Find<T>(string key, CancellationToken cancel, Func<CancellationToken, Task<T>> request)
        where T : class
    {
        try
        {
            return Ask(key, cancel, request);
        }
        catch (IOException e) when (e.InnerException is AmazonServiceException { StatusCode: HttpStatusCode.NotFound, ErrorCode: not "NoSuchBucket" })
        {
            return null;
        }
    }

    /// <summary>One request, with the retries of the client.</summary>
    private T Ask<T>(string key, CancellationToken cancel, Func<CancellationToken, Task<T>> request)
    {
        cancel.ThrowIfCancellationRequested();
        try
        {
            return request(cancel).GetAwaiter().GetResult();
        }
        catch (Exception e) when (IsOfNetwork(e) || e is OperationCanceledException)
        {
            cancel.ThrowIfCancellationRequested(); // however the client wraps it
            throw Failed(key, e);
        }
    }

    /// <summary>Whether <paramref name="e"/> is a failure of the server or of the way to it.</summary>
    internal static bool IsOfNetwork(Exception e) => e is AmazonServiceException or AmazonClientException or HttpRequestException or IOException or WebException;
}
