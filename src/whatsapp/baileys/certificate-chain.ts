import { proto, WA_CERT_DETAILS } from '@whiskeysockets/baileys';

interface CertificateChain {
  /** `details` of the leaf and of the intermediate certificate, as signed. */
  leafDetails: Uint8Array;
  intermediateDetails: Uint8Array;
  /** The static key that the server used in the Noise handshake. */
  serverKey: Uint8Array;
  now: Date;
}

/**
 * Checks what the signatures of a Noise certificate chain do not say: that the leaf was issued by this intermediate,
 * that it certifies the very key of the handshake, and that both are valid now. Baileys leaves this out, and without
 * it anyone could replay WhatsApp's own chain with a key of theirs. As whatsmeow's `verifyServerCert`.
 */
export function isChainConsistent({
  leafDetails,
  intermediateDetails,
  serverKey,
  now,
}: CertificateChain): boolean {
  const { Details } = proto.CertChain.NoiseCertificate;
  try {
    const leaf = Details.decode(leafDetails);
    const intermediate = Details.decode(intermediateDetails);
    return (
      intermediate.issuerSerial === WA_CERT_DETAILS.SERIAL &&
      leaf.issuerSerial === intermediate.serial &&
      Buffer.compare(leaf.key ?? new Uint8Array(), serverKey) === 0 &&
      isValidAt(leaf, now) &&
      isValidAt(intermediate, now)
    );
  } catch {
    return false;
  }
}

type Validity = Pick<proto.CertChain.NoiseCertificate.Details, 'notBefore' | 'notAfter'>;

/** Times are seconds since the epoch; a certificate that states none is not limited. */
function isValidAt({ notBefore, notAfter }: Validity, now: Date): boolean {
  const seconds = now.getTime() / 1000;
  return seconds >= Number(notBefore ?? 0) && seconds <= Number(notAfter ?? Number.POSITIVE_INFINITY);
}
