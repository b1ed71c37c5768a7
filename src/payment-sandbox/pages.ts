import { invoiceRoutes } from './pages/invoices.ts';
import { overviewRoutes } from './pages/overview.ts';
import { razorpayPayRoutes } from './pages/pay-razorpay.ts';
import { stripePayRoutes } from './pages/pay-stripe.ts';
import { paymentRoutes } from './pages/payments.ts';
import type { SandboxRoute } from './sandbox-context.ts';

/** What people see: pages to pay on, and one from which time and banks are played. */
export const pageRoutes: readonly SandboxRoute[] = [
  ...overviewRoutes,
  ...invoiceRoutes,
  ...paymentRoutes,
  ...stripePayRoutes,
  ...razorpayPayRoutes,
];
