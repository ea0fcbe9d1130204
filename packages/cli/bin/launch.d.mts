export function launch(name: string, version?: string): Promise<void>
