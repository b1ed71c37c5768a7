import { billingErrors } from './billing.errors.ts';
import type { PaymentProvider } from './payment-provider.ts';
import type { ProviderName } from './plans.model.ts';

/** The payment providers that this installation is set up for. */
export interface PaymentProviders {
  all(): readonly PaymentProvider[];
  find(name: ProviderName): PaymentProvider | undefined;
  /** The one asked for, or the first. @throws billing.provider_not_configured */
  choose(name: ProviderName | undefined): PaymentProvider;
}

export function createProviders(configured: readonly PaymentProvider[]): PaymentProviders {
  const find = (name: ProviderName) => configured.find((provider) => provider.name === name);
  return {
    all: () => configured,
    find,
    choose(name) {
      const chosen = name === undefined ? configured[0] : find(name);
      if (chosen === undefined) {
        throw billingErrors.providerOff({
          fields: name === undefined ? [] : [{ pointer: '/provider', detail: 'is not set up here' }],
        });
      }
      return chosen;
    },
  };
}
