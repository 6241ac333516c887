/**
 * When a write to what is held happens: now, but not before its last write, which may have waited
 * less for the lock or gone by another gateway's clock. So times in a history never run backwards.
 */
export function timeOfWrite({ updatedAt }: { readonly updatedAt: Date }, now: Date): Date {
  return now > updatedAt ? now : updatedAt;
}
