using Microsoft.Extensions.DependencyInjection;

namespace Signpost.Client;

/// <summary>Dependency injection.</summary>
public static class ServiceCollectionExtensions
{
    /// <summary>Adds one <see cref="SignpostClient"/> for the whole application, which ends with it.</summary>
    /// <exception cref="ArgumentException">The options cannot be used; every problem is told, here and not at the first call.</exception>
    public static IServiceCollection AddSignpost(this IServiceCollection services, Action<SignpostClientOptions> configure)
    {
        var options = new SignpostClientOptions();
        configure(options);
        options.Validate();
        return services.AddSingleton(_ => new SignpostClient(options));
    }
}
