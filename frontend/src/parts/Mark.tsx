/** Toru’s sign: a gate, which things pass through. */
export function Mark({ className }: { readonly className?: string | undefined }) {
  return (
    <svg viewBox="0 0 32 32" className={className} aria-hidden="true">
      <path
        d="M4 7.6c8 1.9 16 1.9 24 0M7 14.4h18M10 8.9V27M22 8.9V27"
        fill="none"
        stroke="currentColor"
        strokeWidth="2.6"
        strokeLinecap="round"
      />
    </svg>
  );
}
