namespace Signpost.Silo.Redis;

/// <summary>
/// Redis could not be asked, or refused. Unless it says that nothing was sent, a change may have been made or not. Never names a password.
/// </summary>
public sealed class RedisException(string message, Exception? inner = null) : IOException(message, inner);
