/** Stop-gap until the full sanitiser lands: comments and invisible characters go. */
export function visible(text: string): string {
  return text.replaceAll(/<!--[\s\S]*?(?:-->|$)/g, '').replaceAll(/[\p{Cf}\p{Co}\p{Cn}]/gu, '');
}
