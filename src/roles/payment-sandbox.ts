import path from 'node:path';
import { startPaymentSandbox } from '../payment-sandbox/start.ts';
import { createLifecycle } from '../platform/lifecycle/lifecycle.ts';
import { exitOnSignals } from '../platform/lifecycle/signals.ts';
import { createLog } from '../platform/log/log.ts';
import type { EmulatorConfig } from './config.ts';
import { announceReady } from './supervise-protocol.ts';

/** Runs the stand-ins for Stripe and Razorpay, in which no money moves. */
export async function runPaymentSandbox(config: EmulatorConfig): Promise<void> {
  const fields = { role: 'payment-sandbox' };
  const log = createLog({ level: config.logLevel, format: config.logFormat, fields });
  const lifecycle = createLifecycle(log);
  exitOnSignals({ lifecycle, log, timeoutMs: config.shutdownTimeoutMs });
  const sandbox = await lifecycle.open(
    'payment sandbox',
    () =>
      startPaymentSandbox({
        host: config.paymentSandboxHost,
        port: config.paymentSandboxPort,
        webhookTarget: config.paymentSandboxTarget ?? `http://127.0.0.1:${config.port}`,
        stateDir: path.join(config.dataDir, 'payment-sandbox'),
        log,
      }),
    { close: (opened) => opened.close() },
  );
  log.info({ url: sandbox.url }, 'payment sandbox is ready');
  const { keys } = sandbox;
  announceReady({
    STRIPE_API_URL: sandbox.url,
    STRIPE_SECRET_KEY: keys.stripeSecretKey,
    STRIPE_WEBHOOK_SECRET: keys.stripeWebhookSecret,
    RAZORPAY_API_URL: sandbox.razorpayUrl,
    RAZORPAY_KEY_ID: keys.razorpayKeyId,
    RAZORPAY_KEY_SECRET: keys.razorpayKeySecret,
    RAZORPAY_WEBHOOK_SECRET: keys.razorpayWebhookSecret,
  });
}
