using Amazon.Runtime;
using Amazon.Runtime.CredentialManagement;
using Amazon.S3;
using Signpost.Engine.Base;

namespace Signpost.Silo.S3;

/// <summary>Where a bucket is, and who asks.</summary>
/// <param name="Bucket">Its name.</param>
/// <param name="Prefix">What the names of all objects begin with; empty, or without a slash at its ends.</param>
internal sealed record S3Options(string Bucket, string Prefix)
{
    /// <summary>How an address of a bucket begins.</summary>
    public const string Scheme = "s3://";

    private const string Profile = "default";

    /// <summary>The server; null: that of AWS for the region.</summary>
    public Uri? Endpoint { get; init; }

    /// <summary>Region that requests are signed for.</summary>
    public string Region { get; init; } = "us-east-1";

    /// <summary>
    /// File with a [default] profile as AWS's own tools write it. Null: what the environment gives (AWS_ACCESS_KEY_ID and its kin, a profile
    /// of this user, or the machine's role).
    /// </summary>
    public string? CredentialsFile { get; init; }

    /// <summary>Bytes of a part of a file that is put in parts; S3 takes 5 MiB and more, and at most 10,000 parts.</summary>
    public int PartBytes { get; init; } = 64 << 20;

    /// <summary>Time without a byte after which a transfer is given up and tried again.</summary>
    public TimeSpan Stall { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The options that <c>s3://BUCKET/PREFIX</c> says; null where it is not of that form.</summary>
    public static S3Options? Parse(string address)
    {
        if (!address.StartsWith(Scheme, StringComparison.Ordinal))
        {
            return null;
        }

        string[] parts = address[Scheme.Length..].Split('/', 2);
        return parts[0].Length == 0 ? null : new S3Options(parts[0], parts.Length > 1 ? parts[1].Trim('/') : "");
    }

    /// <summary>A client of the server, with the credentials.</summary>
    public AmazonS3Client Connect()
    {
        var config = new AmazonS3Config
        {
            AuthenticationRegion = Region,
            MaxErrorRetry = 3,
            ForcePathStyle = Endpoint is not null, // a server of one's own rarely has a host name for each bucket
            // Only where S3 itself asks for them: other servers know nothing of checksums that come after a body.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        };
        if (Endpoint is null)
        {
            config.RegionEndpoint = Amazon.RegionEndpoint.GetBySystemName(Region);
        }
        else
        {
            config.ServiceURL = Endpoint.ToString();
        }

        return CredentialsFile is null ? new AmazonS3Client(config) : new AmazonS3Client(CredentialsOf(CredentialsFile), config);
    }

    private static AWSCredentials CredentialsOf(string file)
    {
        if (!File.Exists(file))
        {
            throw new FileNotFoundException($"{file} is not there", file);
        }

        return new CredentialProfileStoreChain(file).TryGetAWSCredentials(Profile, out AWSCredentials credentials)
            ? credentials
            : throw new ProblemException(new Problem(
                ProblemCode.InvalidArgument, "s3-credentials", file, $"a file with a [{Profile}] profile: aws_access_key_id, aws_secret_access_key",
                "Write it as AWS's own tools do."));
    }
}
